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
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Waiting threads give way to neighbours instead of spinning, which on a busy machine measures the neighbours.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

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


def seconds(form: Form, given: tuple[Energies, Energies, Tensor]) -> float:
    """Time one step."""
    cuda = given[2].is_cuda
    if cuda:
        torch.cuda.synchronize()
    start = time.perf_counter()
    step(form, given)
    if cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak_mb(name: str, cells: int, args: argparse.Namespace) -> float:
    """Measure what one step adds to the memory of this, a fresh process."""
    step(FORMS[name], inputs(name, 64, args))  # threads and libraries allocate on first use
    given = inputs(name, cells, args)
    if args.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(FORMS[name], given)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak starts again from here
    before_mb = _resident_peak_mb()
    step(FORMS[name], given)
    return _resident_peak_mb() - before_mb


def _resident_peak_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def peak_of_fresh_process(name: str, cells: int, args: argparse.Namespace) -> float:
    """Run ``peak_mb`` in a process of its own."""
    options = ["--peak", name, "--n", str(cells), "--batch", str(args.batch), "--device", args.device]
    options += ["--threads", str(args.threads)]
    done = subprocess.run([sys.executable, __file__, *options], check=True, capture_output=True, text=True)
    return float(done.stdout)


def interleaved(names: list[str], cells: int, args: argparse.Namespace) -> dict[str, float]:
    """Check that the forms agree to 1e-5, then time them in turns; return the medians."""
    given = {name: inputs(name, cells, args) for name in names}
    expected = step(FORMS[names[0]], given[names[0]])
    for name in names:
        for own, wanted in zip(step(FORMS[name], given[name]), expected, strict=True):
            error = float((own - wanted).norm() / wanted.norm())
            assert error < 1e-5, f"{name} differs from {names[0]} by {error}"
    runs: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(args.repeats):
        for name in names:
            runs[name].append(seconds(FORMS[name], given[name]))
    return {name: statistics.median(run) for name, run in runs.items()}


def report(cells: int, args: argparse.Namespace) -> None:
    """Print times, peaks and ratios for one number of cells."""
    names = list(FORMS) if cells < LARGEST_NAIVE else ["indexed", "ours"]
    times = interleaved(names, cells, args)
    peaks = {name: peak_of_fresh_process(name, cells, args) for name in names}
    for name in names:
        print(f"n={cells} {name}: {1000 * times[name]:.1f} ms, {peaks[name]:.1f} MB")
    ratios = {}
    if "naive" in names:
        ratios["time_ratio"] = times["ours"] / times["naive"]
        ratios["memory_ratio"] = peaks["ours"] / peaks["naive"]
    ratios["index_time_ratio"] = times["ours"] / times["indexed"]
    ratios["index_memory_ratio"] = peaks["ours"] / peaks["indexed"]
    print(f"n={cells}", *(f"{key}={ratio:.3f}" for key, ratio in ratios.items()), flush=True)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--n", type=int, nargs="+", default=[841, 3481], help="cells of the walk's grid, a square"
    )
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peak", choices=FORMS, help="only measure the peak of one form, in this process")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    for cells in args.n:
        if args.peak:
            print(peak_mb(args.peak, cells, args))
        else:
            report(cells, args)


if __name__ == "__main__":
    main()
