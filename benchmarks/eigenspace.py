"""The eigenspace loss (Eq. 8) under the flip, forward and backward: three ways to the same number.

    python benchmarks/eigenspace.py --n 841 3481 8281

``naive`` multiplies by the explicit matrix T (Eq. 9), takes softmaxes and KLDivLoss, as the authors' public
code does; ``indexed`` permutes instead and is the same from there; ``ours`` is what the package does.
Energies come from embedded queries and keys of width 64, float32; the transformed branch has no gradient.

Times are medians of interleaved runs. Peak memory is what one step adds to a fresh process: its resident set
on a CPU (Linux's /proc), the allocator's peak on a GPU; inputs, and T itself, are not counted.
From 8,000 cells on the naive form is left out.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import torch
from torch import Tensor
from torch.nn import functional

from scribblebench.ops.eigenspace import compare
from scribblebench.ops.transforms import Flip
from scribblebench.ops.walk import Energies

WIDTH, GAMMA, LARGEST_NAIVE = 64, 0.01, 8000
Form = Callable[[Energies, Energies, Tensor], Tensor]


def naive(original: Energies, target: Energies, flip: Tensor) -> Tensor:
    """Eq. 8 and 9 written out: T E T by matrix products."""
    mapped = flip @ (target.queries @ target.keys.mT) @ flip
    return soft_eigenspace(original.queries @ original.keys.mT, mapped)


def indexed(original: Energies, target: Energies, flip: Tensor) -> Tensor:
    """The same with a permutation of rows and columns; ``flip`` holds indices."""
    mapped = (target.queries @ target.keys.mT)[:, flip][:, :, flip]
    return soft_eigenspace(original.queries @ original.keys.mT, mapped)


def soft_eigenspace(energies: Tensor, target_energies: Tensor) -> Tensor:
    """Mean divergence of a row and the traces' difference, from n x n energies."""
    rows, target = torch.softmax(energies, dim=-1), torch.softmax(target_energies, dim=-1)
    divergence = functional.kl_div(rows.log(), target, reduction="sum") / rows.shape[:2].numel()
    gap = rows.diagonal(dim1=1, dim2=2).sum(1) - target.diagonal(dim1=1, dim2=2).sum(1)
    return divergence + GAMMA * gap.abs().mean()


def ours(original: Energies, target: Energies, flip: Tensor) -> Tensor:
    """The package's own; ``flip`` is not needed."""
    rows = compare(original, target, Flip())
    gap = rows.diagonal.sum(1) - rows.target_diagonal.sum(1)
    return rows.divergence.mean() + GAMMA * gap.abs().mean()


FORMS: dict[str, Form] = {"naive": naive, "indexed": indexed, "ours": ours}


def inputs(name: str, cells: int, args: argparse.Namespace) -> tuple[Energies, Energies, Tensor]:
    """Make the factors of an image and of its flip, which nearly agree, and the flip as the form wants it."""
    side = math.isqrt(cells)
    assert side * side == cells, f"--n {cells} is not a square grid"
    generator = torch.Generator().manual_seed(0)
    factors = [0.6 * torch.randn(args.batch, cells, WIDTH, generator=generator) for _ in range(4)]
    index = Flip().cells(side, side)
    queries, keys, *noise = (factor.to(args.device) for factor in factors)
    flipped = [(own + 0.3 * other)[:, index] for own, other in zip((queries, keys), noise, strict=True)]
    original = Energies(queries.requires_grad_(), keys.requires_grad_(), side, side)
    target = Energies(flipped[0], flipped[1], side, side)
    flip = torch.eye(cells)[index] if name == "naive" else index
    return original, target, flip.to(args.device)


def step(form: Form, given: tuple[Energies, Energies, Tensor]) -> list[Tensor]:
    """Run one form forward and backward; return its value and gradients."""
    value = form(*given)
    return [value.detach(), *torch.autograd.grad(value, (given[0].queries, given[0].keys))]


def peak_mb(name: str, cells: int, args: argparse.Namespace) -> float:
    """Measure what one step adds to the memory of this, a fresh process."""
    step(FORMS[name], inputs(name, 64, args))  # threads and libraries allocate on first use
    given = inputs(name, cells, args)
    return measuring.added_mb(lambda: step(FORMS[name], given), args.device)


def times_of(names: list[str], cells: int, args: argparse.Namespace) -> dict[str, float]:
    """Check that the forms agree to 1e-5, then time them."""
    given = {name: inputs(name, cells, args) for name in names}
    expected = step(FORMS[names[0]], given[names[0]])
    for name in names:
        for own, wanted in zip(step(FORMS[name], given[name]), expected, strict=True):
            error = measuring.relative_error(own, wanted)
            assert error < 1e-5, f"{name} differs from {names[0]} by {error}"
    return measuring.medians({name: partial(step, FORMS[name], given[name]) for name in names}, args)


def report(cells: int, args: argparse.Namespace) -> None:
    """Print times, peaks and ratios for one number of cells."""
    names = list(FORMS) if cells < LARGEST_NAIVE else ["indexed", "ours"]
    times, memories = times_of(names, cells, args), measuring.peaks(names, args, f"--n={cells}")
    measuring.show(cells, times, memories)
    ratios = {}
    if "naive" in names:
        ratios["time_ratio"] = times["ours"] / times["naive"]
        ratios["memory_ratio"] = memories["ours"] / memories["naive"]
    ratios["index_time_ratio"] = times["ours"] / times["indexed"]
    ratios["index_memory_ratio"] = memories["ours"] / memories["indexed"]
    print(f"n={cells}", *(f"{key}={ratio:.3f}" for key, ratio in ratios.items()), flush=True)


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, FORMS, cells=True)
    for cells in args.n:
        if args.peak:
            print(peak_mb(args.peak, cells, args))
        else:
            report(cells, args)


if __name__ == "__main__":
    main()
