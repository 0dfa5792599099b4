"""What the benchmarks of single operations share: options, interleaved times, memory of fresh processes."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

# Waiting threads spin where the cores are free, as OpenMP's do by default: operations of a tenth of a
# millisecond then take half the time (docs/crf.md). On a busy machine spinning measures the neighbours.
os.environ.setdefault("OMP_WAIT_POLICY", "active" if os.getloadavg()[0] < 0.5 else "passive")

import torch

from scribblebench.training import memory

Action = Callable[[], object]


def arguments(
    description: str | None,
    forms: Collection[str] = (),
    *,
    cells: bool = False,
    batch: int = 2,
    pictures: bool = False,
    repeats: int = 5,
    options: Callable[[argparse.ArgumentParser], None] | None = None,
) -> argparse.Namespace:
    """Parse the command line, and set torch's threads.

    Args:
        description: what ``--help`` says.
        forms: whose memory is measured, each in a process of its own, by ``--peak``.
        cells: what is measured depends on the number of cells.
        batch: the number of images where none is given.
        pictures: photographs may be named, as ``--data-dir``.
        repeats: the number of interleaved runs where none is given.
        options: adds a benchmark's own.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    if cells:
        parser.add_argument(
            "--n", type=int, nargs="+", default=[841, 3481], help="cells of the walk's grid, a square"
        )
    parser.add_argument("--batch", type=int, default=batch)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=repeats)
    if pictures:
        parser.add_argument("--data-dir", type=Path, help="folder of JPEGs, searched to any depth")
    if forms:
        parser.add_argument(
            "--peak", choices=list(forms), help="only measure the peak of one form, in this process"
        )
    if options is not None:
        options(parser)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    return args


def medians(actions: Mapping[str, Action], args: argparse.Namespace) -> dict[str, float]:
    """Time actions in turns; return each one's median in seconds."""
    runs: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(args.repeats):
        for name, action in actions.items():
            runs[name].append(_seconds(action, args.device))
    return {name: statistics.median(run) for name, run in runs.items()}


def _seconds(action: Action, device: str) -> float:
    _finish(device)
    start = time.perf_counter()
    action()
    _finish(device)
    return time.perf_counter() - start


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def added_mb(action: Action, device: str) -> float:
    """Measure what an action adds to the peak of this process, in MB of 2^20 bytes."""
    place = torch.device(device)
    memory.reset_peak(place)
    before = memory.peak_mb(place)
    action()
    return memory.peak_mb(place) - before


def peaks(forms: Iterable[str], args: argparse.Namespace, *more: str) -> dict[str, float]:
    """Call this program with ``--peak`` once a form: a fresh process has nothing in reserve."""
    options = [f"--batch={args.batch}", f"--device={args.device}", f"--threads={args.threads}", *more]
    found = {}
    for form in forms:
        command = [sys.executable, sys.argv[0], "--peak", form, *options]
        found[form] = float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def show(cells: int, times: Mapping[str, float], memories: Mapping[str, float]) -> None:
    """Print a line a form."""
    for name, time_ in times.items():
        print(f"n={cells} {name}: {1000 * time_:.1f} ms, {memories[name]:.1f} MB")


def relative_error(ours: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the norm of the difference over the norm."""
    return float((ours - expected).norm() / expected.norm())
