"""Partial cross-entropy, forward and backward: logits of labelled pixels only, against those of all pixels.

    python benchmarks/labelled_pixels.py

Interleaved medians of the time and the growth of a fresh process's memory, at crop 465, 30 x 30 cells, 21
classes. Strokes label 0.5 % of the pixels; ``masks`` label all: what full supervision pays for the same code.
"""

from __future__ import annotations

import argparse
from functools import partial

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, interpolate

from scribblebench.ops.cells import between_cells

CLASSES, SIDE, CELLS, IGNORE = 21, 465, 30, 255
SHARES = {"strokes": 0.005, "masks": 1.0}
Inputs = tuple[Tensor, Tensor]


def dense(grid: Tensor, labels: Tensor) -> Tensor:
    """Upsample all logits."""
    logits = interpolate(grid, labels.shape[-2:], mode="bilinear", align_corners=True)
    return cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")


def sparse(grid: Tensor, labels: Tensor) -> Tensor:
    """Upsample the logits of labelled pixels, as the package does."""
    labelled = labels != IGNORE
    return cross_entropy(between_cells(grid, labelled), labels[labelled], reduction="sum")


FORMS = {"dense": dense, "sparse": sparse}


def make(share: float, batch: int, device: str) -> Inputs:
    """Make logits of cells, and labels of a share of the pixels."""
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn(batch, CLASSES, CELLS, CELLS, generator=generator)
    labels = torch.randint(CLASSES, (batch, SIDE, SIDE), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) >= share] = IGNORE
    return grid.to(device).requires_grad_(), labels.to(device)


def step(form: str, inputs: Inputs) -> list[Tensor]:
    """Run one form forward and backward; return its value and gradient."""
    value = FORMS[form](*inputs)
    return [value.detach(), *torch.autograd.grad(value, inputs[0])]


def added_mb(name: str, form: str, args: argparse.Namespace) -> float:
    """Measure what one step adds to the memory of this, a fresh process."""
    inputs = make(SHARES[name], args.batch, args.device)
    return measuring.added_mb(partial(step, form, inputs), args.device)


def main() -> None:
    """Parse the command line and measure."""
    peaks = {f"{name}-{form}": (name, form) for name in SHARES for form in FORMS}
    args = measuring.arguments(__doc__, peaks)
    if args.peak:
        print(added_mb(*peaks[args.peak], args))
        return
    memories = measuring.peaks(peaks, args)
    for name, share in SHARES.items():
        inputs = make(share, args.batch, args.device)
        for ours, theirs in zip(step("sparse", inputs), step("dense", inputs), strict=True):
            error = measuring.relative_error(ours, theirs)
            assert error < 1e-4, f"differs by {error}"
        times = measuring.medians({form: partial(step, form, inputs) for form in FORMS}, args)
        print(
            f"{name}: dense {1000 * times['dense']:.1f} ms, {memories[f'{name}-dense']:.1f} MB; "
            f"sparse {1000 * times['sparse']:.1f} ms, {memories[f'{name}-sparse']:.1f} MB; "
            f"time_ratio={times['sparse'] / times['dense']:.3f} "
            f"memory_ratio={memories[f'{name}-sparse'] / memories[f'{name}-dense']:.3f}"
        )


if __name__ == "__main__":
    main()
