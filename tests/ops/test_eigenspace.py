"""Comparing transition matrices: against explicit matrices, KLDivLoss, scipy and finite differences."""

from __future__ import annotations

import pytest
import scipy.stats
import torch
from torch import Tensor
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from scribblebench.ops import tiles as tiling
from scribblebench.ops.diagnostics import diagnose
from scribblebench.ops.eigenspace import compare, compare_rows
from scribblebench.ops.transforms import Composition, Flip, Transform, Translation
from scribblebench.ops.walk import Energies

TRANSFORMS: list[Transform] = [
    Flip(),
    Translation(2, "top"),
    Translation(1, "bottom"),
    Composition((Flip(), Translation(1, "top"))),
]


def factors(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64, scale: float = 1.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)


def pair(transform: Transform, height: int, width: int, dtype: torch.dtype) -> tuple[Energies, Energies]:
    """Energies of two images, and of their transforms (unrelated to them, so that nothing cancels)."""
    n, m = height * width, len(transform.cells(height, width))
    original = Energies(
        *(factors(2, n, 4, seed=s, dtype=dtype).requires_grad_() for s in (0, 1)), height, width
    )
    target = Energies(
        *(factors(2, m, 4, seed=s, dtype=dtype).requires_grad_() for s in (2, 3)), m // width, width
    )
    return original, target


def explicit(
    energies: Energies, target: Energies, transform: Transform, shown: Tensor
) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
    """KL and traces of each image by selection matrices, softmax after the selection, and KLDivLoss."""
    n = energies.height * energies.width
    divergences, traces, target_traces = [], [], []
    for image in range(len(energies.queries)):
        cells = transform.cells(energies.height, energies.width)
        kept = shown[image].flatten()[cells]
        rows = torch.eye(n, dtype=energies.queries.dtype)[cells][kept]
        own = torch.eye(len(cells), dtype=rows.dtype)[kept]
        original = torch.softmax(rows @ energies.queries[image] @ energies.keys[image].T @ rows.T, dim=1)
        other = torch.softmax(own @ target.queries[image] @ target.keys[image].T @ own.T, dim=1).detach()
        divergences.append(functional.kl_div(original.log(), other, reduction="sum"))
        traces.append(original.trace())
        target_traces.append(other.trace())
    return divergences, traces, target_traces


@pytest.mark.parametrize("hidden", [False, True], ids=["all", "padded"])
@pytest.mark.parametrize("transform", TRANSFORMS, ids=repr)
def test_comparison_equals_explicit_matrices_and_so_does_its_gradient(
    transform: Transform, hidden: bool
) -> None:
    height, width = 5, 7
    energies, target = pair(transform, height, width, torch.float64)
    shown = torch.ones(2, height, width, dtype=torch.bool)
    if hidden:
        shown[0, :, :3] = shown[1, 3:] = False
    rows = compare(energies, target, transform, shown if hidden else None)
    expected, traces, target_traces = explicit(energies, target, transform, shown)
    torch.testing.assert_close(rows.divergence.sum(1), torch.stack(expected))
    torch.testing.assert_close(rows.diagonal.sum(1), torch.stack(traces))
    torch.testing.assert_close(rows.target_diagonal.sum(1), torch.stack(target_traces))
    assert rows.in_view.sum().item() == sum(
        shown[i].flatten()[transform.cells(height, width)].sum().item() for i in range(2)
    )
    weights = torch.tensor([1.0, -2.0], dtype=torch.float64)
    wanted = torch.autograd.grad(
        (torch.stack(expected) * weights).sum() + 3 * torch.stack(traces).sum(),
        (energies.queries, energies.keys),
    )
    loss = (rows.divergence.sum(1) * weights).sum() + 3 * rows.diagonal.sum()
    loss.backward()
    torch.testing.assert_close((energies.queries.grad, energies.keys.grad), wanted)
    assert target.queries.grad is None
    assert target.keys.grad is None


def test_float32_equals_the_naive_form_to_1e_5_on_sharp_and_flat_rows() -> None:
    for scale in (0.3, 1.0, 2.0):
        q, k, tq, tk = (factors(2, 300, 64, seed=s, dtype=torch.float32, scale=scale) for s in range(4))
        tq, tk = q + 0.1 * tq, k + 0.1 * tk
        q.requires_grad_()
        divergence, diagonal, _ = compare_rows(q, k, tq, tk)
        original, other = ((a.double() @ b.double().mT).log_softmax(-1) for a, b in ((q, k), (tq, tk)))
        naive = functional.kl_div(original, other, reduction="none", log_target=True).sum(-1)
        torch.testing.assert_close(
            divergence.double(), naive, rtol=1e-5, atol=1e-5 * max(1.0, naive.max().item())
        )
        gradient = torch.autograd.grad(divergence.mean() + diagonal.mean(), q)[0]
        wanted = torch.autograd.grad(naive.mean() + original.diagonal(dim1=1, dim2=2).exp().mean(), q)[0]
        torch.testing.assert_close(gradient, wanted, rtol=1e-4, atol=1e-5 * wanted.abs().max().item())


def test_gradcheck_across_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling, "_CPU_TILE", 20)
    q, k = (factors(2, 6, 3, seed=s).requires_grad_() for s in (0, 1))
    tq, tk = (factors(2, 6, 5, seed=s) for s in (2, 3))
    assert torch.autograd.gradcheck(lambda a, b: compare_rows(a, b, tq, tk)[:2], (q, k))
    assert torch.autograd.gradcheck(lambda a: compare_rows(a, a, tq, tk)[:2], (q,))


def test_divergence_has_the_direction_of_scipy() -> None:
    q, k, tq, tk = (factors(1, 6, 3, seed=s) for s in range(4))
    original, other = torch.softmax(q @ k.mT, -1)[0], torch.softmax(tq @ tk.mT, -1)[0]
    forward = scipy.stats.entropy(other.numpy(), original.numpy(), axis=1)
    assert abs(forward - scipy.stats.entropy(original.numpy(), other.numpy(), axis=1)).max() > 0.1
    torch.testing.assert_close(compare_rows(q, k, tq, tk)[0][0], torch.from_numpy(forward))


def test_an_image_without_a_cell_in_view_costs_nothing() -> None:
    energies, target = pair(Flip(), 3, 4, torch.float32)
    shown = torch.ones(2, 3, 4, dtype=torch.bool)
    shown[1] = False
    rows = compare(energies, target, Flip(), shown)
    (rows.divergence.sum() + rows.diagonal.sum()).backward()
    assert rows.divergence[1].abs().sum().item() == 0
    assert energies.queries.grad is not None
    assert energies.queries.grad[1].abs().sum().item() == 0
    assert energies.queries.grad[0].abs().sum().item() > 0


def test_bfloat16_autocast_changes_nothing() -> None:
    q, k, tq, tk = (
        factors(1, 50, 8, seed=s, dtype=torch.float32, scale=2.0).requires_grad_() for s in range(4)
    )
    plain = compare_rows(q, k, tq, tk)[0].sum()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = compare_rows(q, k, tq, tk)[0].sum()
        gradient = torch.autograd.grad(cast, q)[0]
    assert torch.equal(plain, cast)
    assert torch.equal(gradient, torch.autograd.grad(plain, q)[0])


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation returned."""

    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN001, ANN204  # torch's signature
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else (result,):
            if isinstance(tensor, Tensor):
                self.numbers = max(self.numbers, tensor.untyped_storage().nbytes() // tensor.element_size())
        return result


def test_no_tensor_is_as_large_as_one_transition_matrix() -> None:
    side = 48
    energies = Energies(*(factors(2, side**2, 64, seed=s, dtype=torch.float32) for s in (0, 1)), side, side)
    energies.queries.requires_grad_()
    with Largest() as largest:
        compare(
            energies, energies.detach(), Flip(), torch.ones(2, side, side) > 0
        ).divergence.sum().backward()
        diagnose(energies)
    assert 0 < largest.numbers < side**4 // 4
