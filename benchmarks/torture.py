"""Torture a grid: kill it, stop it, fill its disk, damage its files. No number may change without a word.

    python benchmarks/torture.py                      # the whole torture, about half an hour on two cores
    python benchmarks/torture.py --only mutations     # one part of it

A small grid is run undisturbed first; whatever is done to it afterwards, the same command must end in the
same numbers, bit for bit, or say what is wrong. Moments and places are drawn from a named seed. The last
line counts what happened; the exit code is 1 where a number changed silently, a traceback was printed or a
cell was lost.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from damage import METHODS, RATES, SETTINGS, Mutations, Numbers, numbers_of

from scribblebench.core.files import write_atomic
from scribblebench.core.seeds import rng
from scribblebench.sources.toy import LAYOUT, ensure_toy
from scribblebench.store.record import read_records

ASKED = ["--methods", ",".join(METHODS), "--rates", ",".join(map(str, RATES)), "--device", "cpu"]
RUN = ["run", "--grid", "shrink", *ASKED]
CELLS = len(METHODS) * len(RATES)
SPLITS = {"train": 12, "val": 4}


def make_data(root: Path) -> None:
    """Generate the toy dataset and keep a few scenes in its lists."""
    ensure_toy(root)
    for split, count in SPLITS.items():
        listed = root / LAYOUT.lists / f"{split}.txt"
        write_atomic(listed, "\n".join(listed.read_text(encoding="utf-8").split()[:count]) + "\n")


@dataclass
class Grid:
    """The command line on one folder of results.

    Attributes:
        data: the dataset.
        root: where results and variants are.
        counts: what happened.
        expected: the numbers of the undisturbed run.
        seconds: how long that took.
    """

    data: Path
    root: Path
    counts: Counter[str]
    expected: dict[str, Numbers] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def runs(self) -> Path:
        """The folder of records."""
        return self.root / "results" / "runs"

    def start(self, *more: str, **environment: str) -> subprocess.Popen[str]:
        """Start a launcher in a group of its own."""
        settings = [f"--set={key}={value}" for key, value in SETTINGS.items()]
        command = [sys.executable, "-m", "scribblebench", *RUN, "--data-dir", str(self.data), "--jobs", "2"]
        self.root.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            [*command, *settings, *more],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, **environment},
        )

    def end(self, process: subprocess.Popen[str]) -> str:
        """Wait for a launcher; return what it said, and count tracebacks and show them."""
        said = "".join(process.communicate())
        if "Traceback" in said:
            self.counts["tracebacks"] += 1
            print(said[said.index("Traceback") :], file=sys.stderr)
        return said

    def numbers(self) -> dict[str, Numbers]:
        """Read what is done."""
        found = read_records(self.runs).records
        return {record.slug: numbers_of(record) for record in found if record.status == "done"}

    def measure(self) -> None:
        """Run undisturbed, for the numbers and for the time it takes."""
        since = time.perf_counter()
        self.end(self.start())
        self.seconds = time.perf_counter() - since
        self.expected = self.numbers()
        if len(self.expected) != CELLS:
            raise SystemExit(f"The undisturbed run ended with {len(self.expected)} of {CELLS} cells.")
        self.wipe()

    def wipe(self) -> None:
        """Begin anew."""
        shutil.rmtree(self.root / "results", ignore_errors=True)
        shutil.rmtree(self.root / "data", ignore_errors=True)

    def conclude(self, anew: bool = True) -> None:
        """Let the same command carry on to the end, and compare."""
        for _ in range(4):
            process = self.start("--wait")
            self.end(process)
            if process.returncode == 0:
                break
        found = self.numbers()
        self.counts["compared"] += CELLS
        self.counts["equal"] += sum(found.get(slug) == value for slug, value in self.expected.items())
        self.counts["silent"] += sum(found[slug] != self.expected.get(slug) for slug in found)
        self.counts["lost"] += len(self.expected.keys() - found.keys())
        if anew:
            self.wipe()


def kills(grid: Grid, count: int) -> None:
    """SIGKILL the group, a worker or the parent at a random moment, again and again."""
    draw = rng("torture", "kills")
    for index in range(count):
        process = grid.start()
        time.sleep(draw.uniform(0, grid.seconds))
        _strike(process, ("group", "worker", "parent")[index % 3], draw)
        grid.end(process)
        grid.counts["kills"] += 1
        dead = [record for record in read_records(grid.runs).records if record.status == "running"]
        grid.counts["said to run"] += len(dead) * (index % 3 == 0)
        if len(grid.numbers()) == CELLS:
            grid.conclude()
    grid.conclude()


def _strike(process: subprocess.Popen[str], whom: str, draw: np.random.Generator) -> None:
    with contextlib.suppress(ProcessLookupError):
        if whom == "group":
            os.killpg(process.pid, signal.SIGKILL)
        elif whom == "parent":
            process.kill()
        elif workers := _workers(process.pid):
            os.kill(workers[int(draw.integers(len(workers)))], signal.SIGKILL)


def _workers(parent: int) -> list[int]:
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(parent)],  # noqa: S607 - wherever it is
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in listed.stdout.splitlines() if "multiprocessing-fork" in line]


def signals(grid: Grid, count: int) -> None:
    """Stop the run as a person, a scheduler or a closed terminal does."""
    draw = rng("torture", "signals")
    for index in range(count):
        number = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)[index % 3]
        process = grid.start()
        time.sleep(draw.uniform(0.3, 1) * grid.seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)  # a terminal tells the whole group
        said = grid.end(process)
        clean = "carries on" in said if process.returncode == 130 else process.returncode in (0, -number)
        grid.counts["signals"] += 1
        grid.counts["not clean"] += not clean
    grid.conclude()


def launchers(grid: Grid, count: int) -> None:
    """Start three at once on one folder: no cell is run twice."""
    for _ in range(count):
        started = [grid.start() for _ in range(3)]
        said = [grid.end(process) for process in started]
        run = sum(int(found[1]) for text in said if (found := re.search(r"(\d+) run now", text)))
        grid.counts["launchers"] += 3
        grid.counts["run twice"] += max(0, run - CELLS)
        grid.conclude()


def hosts(grid: Grid, count: int) -> None:
    """Let two machines work on one folder, and one of them die: the other takes over, no cell is run twice.

    Every other time the folder has no ``flock``, as on some network file systems: locks are leases then, and
    the survivor waits until those of the dead have run out.
    """
    draw = rng("torture", "hosts")
    bare = grid.root.with_name("without-flock")
    bare.mkdir(exist_ok=True)
    write_atomic(bare / "sitecustomize.py", _WITHOUT_FLOCK)
    path = os.pathsep.join(filter(None, (str(bare), os.environ.get("PYTHONPATH", ""))))
    for index in range(count):
        more = {"PYTHONPATH": path} if index % 2 else {}
        dies = grid.start(SCRIBBLEBENCH_HOST="first", **more)
        lives = grid.start("--wait", SCRIBBLEBENCH_HOST="second", **more)
        time.sleep(draw.uniform(0.3, 1) * grid.seconds)
        _strike(dies, "group", draw)
        grid.end(dies)
        said = grid.end(lives)
        grid.counts["hosts"] += 1
        grid.counts["not clean"] += lives.returncode != 0
        if lives.returncode:
            print(said, file=sys.stderr)
        grid.conclude()


_WITHOUT_FLOCK = """
import errno, fcntl
def flock(*_): raise OSError(errno.ENOSYS, "Function not implemented")
fcntl.flock = flock
"""


def full_disk(grid: Grid, count: int) -> None:
    """Let the results fill a small file system: one line, exit code 2, and nothing lost behind it."""
    results = grid.root / "results"
    for index in range(count):
        results.mkdir(parents=True, exist_ok=True)
        size = f"size={4 + 2 * index}m"
        mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(results)]
        if os.name != "posix" or os.geteuid() or subprocess.run(mount, check=False).returncode:
            print("full disk: left out, a small file system cannot be mounted here")
            return
        try:
            process = grid.start()
            said = grid.end(process)
            full = process.returncode == 2 and ("No space" in said or "MiB free" in said)
            grid.counts["disks"] += 1
            grid.counts["not clean"] += not full
            subprocess.run(["mount", "-o", "remount,size=200m", str(results)], check=True)  # noqa: S607
            grid.conclude(anew=False)
        finally:
            subprocess.run(["umount", str(results)], check=True)  # noqa: S607 - as above
        grid.wipe()


def mutations(grid: Grid, count: int) -> None:
    """Damage files (see ``Mutations``)."""
    Mutations(grid.data, grid.root, grid.counts).run(count)


PARTS: dict[str, Callable[[Grid, int], None]] = {
    "kills": kills,
    "signals": signals,
    "launchers": launchers,
    "hosts": hosts,
    "disks": full_disk,
    "mutations": mutations,
}
FULL = {"kills": 60, "signals": 12, "launchers": 2, "hosts": 4, "disks": 3, "mutations": 400}
BAD = ("silent", "tracebacks", "lost", "run twice", "said to run", "not clean")


@contextlib.contextmanager
def workplace(given: Path | None) -> Iterator[Path]:
    """Work where a person says, or in a folder that is gone afterwards."""
    if given is not None:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> None:
    """Run the parts asked for and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name, count in FULL.items():
        parser.add_argument(f"--{name}", type=int, default=count, help=f"how many (default: {count})")
    parser.add_argument(
        "--only", choices=PARTS, action="append", help="this part; may be given several times"
    )
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder)")
    given = parser.parse_args()
    counts = Counter(dict.fromkeys(("kills", "mutations", "compared", "equal", *BAD), 0))
    with workplace(given.folder) as folder:
        make_data(folder / "scenes")
        grid = Grid(folder / "scenes", folder / "grid", counts)
        parts = [name for name in PARTS if name in (given.only or PARTS) and getattr(given, name)]
        if set(parts) - {"mutations"}:
            grid.measure()
        for name in parts:
            since = time.perf_counter()
            PARTS[name](grid, getattr(given, name))
            print(f"{name}: {time.perf_counter() - since:.0f} s")
    print(json.dumps(counts, sort_keys=True))
    print(
        " ".join(
            f"{name.replace(' ', '-')}={counts[name]}"
            for name in ("kills", "mutations", "compared", "equal", *BAD)
        )
    )
    sys.exit(any(counts[name] for name in BAD))


if __name__ == "__main__":
    main()
