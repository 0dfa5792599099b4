from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call
from torch.profiler import ProfilerActivity, profile

from scribblebench.nn.heads.random_walk import RandomWalk
from scribblebench.nn.walk import Walk
from scribblebench.ops import tiles, walk
from scribblebench.ops.walk import Energies, diffuse


def walk_by_loop(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Eq. 4 and 5 cell by cell: f_i = sum_j P_ij v_j."""
    out = []
    for q, k, v in zip(queries.tolist(), keys.tolist(), values.tolist(), strict=True):
        for query in q:
            weights = [math.exp(sum(a * b for a, b in zip(query, key, strict=True))) for key in k]
            mixed = [
                sum(w * c for w, c in zip(weights, column, strict=True)) for column in zip(*v, strict=True)
            ]
            out.append([c / sum(weights) for c in mixed])
    return torch.tensor(out).reshape(values.shape)


def factors(
    batch: int, n: int, width: int, channels: int, dtype: torch.dtype = torch.float32
) -> list[Tensor]:
    generator = torch.Generator().manual_seed(n)
    shapes = [(batch, n, width), (batch, n, width), (batch, n, channels)]
    return [torch.randn(s, generator=generator, dtype=dtype, requires_grad=True) for s in shapes]


@given(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_diffusion_is_the_loop(batch: int, height: int, width: int, depth: int, channels: int) -> None:
    q, k, v = factors(batch, height * width, depth, channels)
    ours = diffuse(Energies(q, k, height, width), v)
    torch.testing.assert_close(ours, walk_by_loop(q, k, v), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("symmetric", [False, True])
def test_across_row_blocks_value_and_gradient_are_the_naive_forms(
    symmetric: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiles, "_CPU_TILE", 100 * 17 * 19)
    q, k, v = factors(2, 17 * 19, 8, 24)
    k = q if symmetric else k
    weight = torch.randn(v.shape, generator=torch.Generator().manual_seed(0))
    inputs = (q, v) if symmetric else (q, k, v)
    ours = diffuse(Energies(q, k, 17, 19), v)
    ours = [ours, *torch.autograd.grad((ours * weight).sum(), inputs)]
    naive = torch.softmax(q.double() @ k.double().transpose(1, 2), -1) @ v.double()
    naive = [naive, *torch.autograd.grad((naive * weight).sum(), inputs)]
    for one, other in zip(ours, (tensor.detach() for tensor in naive), strict=True):
        torch.testing.assert_close(one.double(), other.double(), rtol=0, atol=1e-5 * float(other.abs().max()))


def test_gradcheck_across_row_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        walk, "_tiles", lambda _: [(slice(i, i + 1), slice(j, j + 5)) for i in (0, 1) for j in (0, 5, 10)]
    )
    q, k, v = factors(2, 12, 3, 4, torch.float64)
    assert torch.autograd.gradcheck(lambda a, b, c: diffuse(Energies(a, b, 3, 4), c), (q, k, v))
    assert torch.autograd.gradcheck(lambda a: diffuse(Energies(a, a, 3, 4), a), (q,))


def test_every_row_of_p_sums_to_one_even_when_saturated() -> None:
    q, k, _ = (100 * t for t in factors(1, 20 * 15, 8, 1))
    energies = Energies(q, k, 20, 15)
    ones = torch.ones(1, 300, 1)
    torch.testing.assert_close(diffuse(energies, ones), ones, rtol=1e-5, atol=0)
    torch.testing.assert_close(energies.matrix() @ ones, ones, rtol=1e-5, atol=0)


def test_energies_are_exact_under_autocast() -> None:
    q, k, v = factors(1, 200, 64, 8)
    expected = diffuse(Energies(q, k, 10, 20), v)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ours = diffuse(Energies(q, k, 10, 20), v)
        gradient = torch.autograd.grad(ours.sum() + ours.square().sum(), q)[0]
        half = diffuse(Energies(q, k, 10, 20), v.bfloat16())
    assert torch.equal(ours, expected)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), expected, rtol=0.02, atol=0.02)
    exact = torch.autograd.grad(expected.sum() + expected.square().sum(), q)[0]
    torch.testing.assert_close(gradient, exact)


def test_gradients_of_bfloat16_values_add_up_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "_tiles", lambda _: [(slice(None), slice(i, i + 1)) for i in range(600)])
    zero, values = torch.zeros(1, 600, 1), torch.zeros(1, 600, 1, dtype=torch.bfloat16, requires_grad=True)
    out = diffuse(Energies(zero, zero, 20, 30), values)
    # Each of 600 rows adds 1/600: a running sum in bfloat16 stops growing at half of it.
    gradient = torch.autograd.grad(out.sum(), values)[0]
    torch.testing.assert_close(gradient.float(), torch.ones(1, 600, 1), rtol=0.01, atol=0)


@pytest.mark.parametrize("offset", [1.0, 3.0])
def test_a_mean_of_bfloat16_values_hardly_disturbs_the_gradient_of_the_energies(offset: float) -> None:
    """Softmax takes a row's mean out of the slopes; with values far from 0 it is nearly all of them."""
    q, k, v = factors(1, 29 * 29, 64, 64)
    values = (v.detach() + offset).bfloat16()
    upstream = torch.randn(v.shape, generator=torch.Generator().manual_seed(0)).add(offset).bfloat16()
    ours = torch.autograd.grad(diffuse(Energies(q, k, 29, 29), values), (q, k), upstream)
    naive = torch.softmax(q.double() @ k.double().mT, -1) @ values.double()
    for one, other in zip(ours, torch.autograd.grad(naive, (q, k), upstream.double()), strict=True):
        assert (one - other).norm() < 0.01 * other.norm()


def module(width: int = 8, **options: object) -> Walk:
    """Make a walk of the head's options, away from the global generator."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Walk(width, RandomWalk(**{"alpha_start": 0.7, **options}).form)


def features(height: int, width: int) -> Tensor:
    return torch.randn(2, 8, height, width, generator=torch.Generator().manual_seed(1))


def test_the_inner_product_is_equation_4_and_5() -> None:
    f = features(3, 5)
    net = module(similarity="inner_product")
    rows = f.flatten(2).transpose(1, 2)
    expected = f + 0.7 * walk_by_loop(rows, rows, rows).transpose(1, 2).reshape(f.shape)
    energies = net.energies(f)
    assert energies.queries is energies.keys
    torch.testing.assert_close(net(f, energies), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("similarity", ["embedded", "inner_product"])
@pytest.mark.parametrize("normalise", ["none", "cosine"])
@pytest.mark.parametrize("centre", [False, True])
def test_energy_scale_multiplies_the_energies(similarity: str, normalise: str, centre: bool) -> None:
    options = {"similarity": similarity, "normalise": normalise, "centre": centre}
    plain, scaled = (module(**options, energy_scale=s).energies(features(2, 3)) for s in (1.0, 0.125))
    e = plain.queries @ plain.keys.transpose(1, 2)
    torch.testing.assert_close(scaled.queries @ scaled.keys.transpose(1, 2), e / 8)


def test_uniform_is_global_pooling_of_the_values() -> None:
    f, net = features(3, 4), module(uniform=True)
    pooled = net.value(f.mean(dim=(2, 3)))
    torch.testing.assert_close(net(f, net.energies(f)), f + 0.7 * pooled[..., None, None])


# Options, and the energies that they stand for, from rows of f, query and key: written out, n x n.
FORMS = {
    "centred": ({"centre": True}, lambda f, q, k: (q - q.mean(dim=1, keepdim=True)) @ k.mT),
    "cosine": (
        {"normalise": "cosine", "energy_scale": 5.0},
        lambda f, q, k: 5 * (q @ k.mT) / (q.norm(dim=2)[:, :, None] * k.norm(dim=2)[:, None]),
    ),
    "cosine of f": (
        {"similarity": "inner_product", "normalise": "cosine", "energy_scale": 3.0},
        lambda f, q, k: 3 * (f @ f.mT) / (f.norm(dim=2)[:, :, None] * f.norm(dim=2)[:, None]),
    ),
    "both": (
        {"centre": True, "normalise": "cosine"},
        lambda f, q, k: torch.cosine_similarity(
            (q - q.mean(dim=1, keepdim=True))[:, :, None], k[:, None], -1
        ),
    ),
    "centred f": (
        {"similarity": "inner_product", "centre": True},
        lambda f, q, k: (f - f.mean(dim=1, keepdim=True)) @ f.mT,
    ),
    "uniform": ({"uniform": True}, lambda f, q, k: 0 * f @ f.mT),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("value", ["identity", "linear"])
@pytest.mark.parametrize("alpha", ["learned", "fixed"])
def test_every_form_is_its_matrix_and_its_gradient_the_difference(form: str, value: str, alpha: str) -> None:
    options, energies_of = FORMS[form]
    net = module(4, value=value, alpha=alpha, **options).double()
    f = features(2, 3)[:, :4].double().requires_grad_()
    rows = f.flatten(2).mT
    query, key = (layer(rows) if layer else None for layer in (net.query, net.key))
    values = rows @ net.value.weight.T + net.value.bias if value == "linear" else rows
    walked = torch.softmax(energies_of(rows, query, key), dim=-1) @ values
    torch.testing.assert_close(net(f, net.energies(f)), f + 0.7 * walked.mT.reshape(f.shape))

    def out(f: Tensor, *parameters: Tensor) -> Tensor:
        own = dict(zip(names, parameters, strict=True))
        return functional_call(Whole(net), own, (f,))

    names, parameters = zip(*Whole(net).named_parameters(), strict=True) if [*net.parameters()] else ((), ())
    assert ("walk.alpha" in names) is (alpha == "learned")
    assert torch.autograd.gradcheck(out, (f, *parameters), fast_mode=True)


class Whole(nn.Module):
    """The walk and its energies in one call."""

    def __init__(self, walk: Walk) -> None:
        super().__init__()
        self.walk = walk

    def forward(self, f: Tensor) -> Tensor:
        return self.walk(f, self.walk.energies(f))


def test_a_fixed_alpha_is_kept_and_not_learned() -> None:
    net = module(alpha="fixed", similarity="inner_product")
    assert not list(net.parameters())
    assert net.state_dict()["alpha"] == pytest.approx(0.7)


def interpolation(cells: int, knots: int) -> Tensor:
    """Linear interpolation as a matrix, end on end."""
    at = torch.arange(cells) * (knots - 1) / (cells - 1)
    return (1 - (at[:, None] - torch.arange(knots)).abs()).clamp(min=0)


@pytest.mark.parametrize(("height", "width", "stride"), [(7, 11, 2), (7, 10, 3), (8, 6, 2)])
def test_a_coarser_walk(height: int, width: int, stride: int) -> None:
    net, f = module(walk_stride=stride), features(height, width)
    h, w = (height - 1) // stride + 1, (width - 1) // stride + 1
    coarse = interpolation(h, height) @ f @ interpolation(w, width).T
    rows = coarse.flatten(2).transpose(1, 2)
    energies = net.energies(f)
    assert (energies.height, energies.width) == (h, w)
    walked = walk_by_loop(net.query(rows), net.key(rows), net.value(rows)).transpose(1, 2).reshape(2, 8, h, w)
    expected = f + 0.7 * (interpolation(height, h) @ walked @ interpolation(width, w).T)
    torch.testing.assert_close(net(f, energies), expected, rtol=1e-5, atol=1e-5)
    if (height - 1) % stride == (width - 1) % stride == 0:
        torch.testing.assert_close(coarse, f[..., ::stride, ::stride])


@pytest.mark.parametrize(
    ("width", "options"),
    [
        (512, {"similarity": "embedded"}),
        (512, {"similarity": "inner_product"}),
        (64, {"similarity": "embedded", "centre": True, "normalise": "cosine", "value": "identity"}),
        (64, {"similarity": "image", "alpha": "fixed"}),
    ],
)
def test_the_walk_never_holds_a_matrix(width: int, options: dict[str, object]) -> None:
    # 59 x 59 cells of a 465 crop, the whole module, at first of the paper's width, forward and backward.
    side = 59
    net = module(width, **options)
    f = torch.randn(1, width, side, side, requires_grad=True)
    compared = 255 * torch.rand(1, 3, side, side) if options["similarity"] == "image" else f
    upstream = torch.ones(1, width, side, side)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        net(f, net.energies(compared)).backward(upstream)
    assert 0 < peak_bytes(record) < side**4 * 4


def test_the_meter_sees_the_matrix_of_the_naive_form() -> None:
    q, k, v = factors(1, 900, 8, 8)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        (torch.softmax(q @ k.transpose(1, 2), -1) @ v).sum().backward()
    assert peak_bytes(record) > 900**2 * 4


def peak_bytes(record: profile) -> int:
    """Most bytes that torch had allocated at once since the profile began."""
    events = [e for e in record.profiler.kineto_results.events() if e.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak
