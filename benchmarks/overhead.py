"""What the engine costs beside the trainings: starting, planning, and 200 cells that do next to nothing.

    python benchmarks/overhead.py              # two minutes on two quiet cores
    python benchmarks/overhead.py --cells 40   # fewer

Each cell is real, but trains one image of 33 x 33 pixels for one epoch and is scored on one. Wall-clock time
grows with whatever else the machine does, so processor time stands beside it: of the command and all of its
processes. A line a measurement.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from torture import make_data

from scribblebench.sources.toy import LAYOUT

SMALL = ["--set=epochs=1", "--set=batch=1", "--set=crop=33"]
# Seconds on two quiet cores.
LIMITS = {"help": 0.3, "list": 0.5, "dry run of 300 cells": 3.0, "cells": 60.0, "all done": 3.0}


def measure(name: str, folder: Path, *arguments: str) -> None:
    """Run the command once and print what it took."""
    before, since = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "scribblebench", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - since, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    last = ended.stdout.splitlines()[-1]
    print(f"{name}: seconds={wall:.2f} cpu_seconds={cpu:.2f} limit={LIMITS[name]:g} ({last})", flush=True)


def data_of_one(root: Path) -> None:
    """Generate the toy dataset and keep one scene of each split."""
    make_data(root)
    for split in ("train", "val"):
        listed = root / LAYOUT.lists / f"{split}.txt"
        listed.write_text(listed.read_text(encoding="utf-8").split()[0] + "\n", encoding="utf-8")


def main() -> None:
    """Measure all of it in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cells", type=int, default=200, help="cells to run (default: 200)")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data_of_one(folder / "scenes")
        grid = ["run", "--grid", "shrink", "--data-dir", "scenes", "--device", "cpu", *SMALL]
        many = ",".join(str(seed) for seed in range(20))
        seeds = ",".join(str(seed) for seed in range(given.cells))
        cells = [*grid, "--methods", "baseline", "--rates", "0", "--seeds", seeds, "--jobs", "2"]
        measure("help", folder, "--help")  # once for the disk
        measure("help", folder, "--help")
        measure("list", folder, "list")
        measure("dry run of 300 cells", folder, *grid, "--seeds", many, "--dry-run")
        measure("cells", folder, *cells)
        measure("all done", folder, *cells)


if __name__ == "__main__":
    main()
