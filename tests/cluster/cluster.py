"""A grid on a Slurm of this machine, which is made to suffer: ``make cluster``.

    python tests/cluster/cluster.py                # needs Debian, root and some ten minutes

Twelve cells are run without Slurm, for their numbers. The same twelve then go to two nodes: a task is warned
as before its time limit, a task's process is killed, a node dies with all that it runs, and so does the
launcher. Another launcher collects what is in the queue, a third hands over what failed. In the end every
record must be complete and its matrices the same, to the bit; the exit code is 1 where one is not.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from slurm_here import Cluster, install, kill, processes

from scribblebench.sources.toy import LAYOUT, ensure_toy
from scribblebench.store.lock import holder, is_held
from scribblebench.store.record import Record, lock_path, read_records

METHODS, RATES, EPOCHS, SCENES = "baseline,rw,rw-ss", "0,0.2,0.5,0.7", 40, {"train": 16, "val": 8}
CELLS = 12
GRID = ["run", "--grid", "shrink", "--methods", METHODS, "--rates", RATES, "--device", "cpu"]
SINCE = time.monotonic()


def say(text: str) -> None:
    """Write a line of the log."""
    sys.stdout.write(f"{time.monotonic() - SINCE:6.0f} s  {text}\n")
    sys.stdout.flush()


class Scene:
    """The command line, in a folder of its own."""

    def __init__(self, root: Path, data: Path) -> None:
        self.root = root
        self.command = [sys.executable, "-m", "scribblebench", *GRID, "--data-dir", str(data)]
        self.command += [f"--set=epochs={EPOCHS}"]
        root.mkdir()

    @property
    def runs(self) -> Path:
        return self.root / "results" / "runs"

    def start(self, *more: str) -> subprocess.Popen[str]:
        log = (self.root / "launchers.log").open("a", encoding="utf-8")
        return subprocess.Popen([*self.command, *more], cwd=self.root, stdout=log, stderr=log, text=True)

    def records(self) -> dict[str, Record]:
        return {record.slug: record for record in read_records(self.runs).records}

    def counts(self) -> str:
        statuses = [record.status for record in self.records().values()]
        return ", ".join(f"{statuses.count(s)} {s}" for s in dict.fromkeys(statuses)) or "nothing yet"


def data_of(folder: Path) -> Path:
    """Generate the toy dataset and keep a few scenes in its lists."""
    root = ensure_toy(folder / "scenes")
    for split, count in SCENES.items():
        listed = root / LAYOUT.lists / f"{split}.txt"
        listed.write_text(
            "\n".join(listed.read_text(encoding="utf-8").split()[:count]) + "\n", encoding="utf-8"
        )
    return root


def until(what: str, true: Callable[[], object], seconds: float = 600) -> None:
    """Wait for something that has to come."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.5)


def at_work(scene: Scene) -> list[str]:
    """List the cells that train: those that tell of epochs."""
    told = (scene.runs / "progress").glob("*.json")
    return [path.stem for path in told if is_held(lock_path(scene.runs, path.stem))]


def worker_of(scene: Scene, slug: str) -> int:
    return int(holder(lock_path(scene.runs, slug)).split()[1])


def task_of(process: int) -> dict[str, str]:
    """Read what Slurm told a process."""
    pairs = (Path("/proc") / str(process) / "environ").read_bytes().split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if pair.startswith(b"SLURM") and b"=" in pair)


def suffer(cluster: Cluster, scene: Scene) -> None:
    """Run the grid through Slurm, and let it come to grief in each way."""
    launcher = scene.start("--executor", "slurm", "--slurm", "partition=all,time=30", "--slurm", "mem=0")
    until("two cells at work", lambda: len(at_work(scene)) >= 2)
    say(f"two cells train: {cluster.running()}")

    slug = at_work(scene)[0]
    process = worker_of(scene, slug)
    os.kill(process, signal.SIGUSR2)
    until("the warned task to leave", lambda: not Path(f"/proc/{process}").exists())
    say(f"warned a task as before its time limit; its record says: {scene.records()[slug].status}")
    until("its second turn", lambda: "(Requeue" in cluster.ask("squeue", "--me", "-h", "-r", "-o", "%i %r")
          or restarts(cluster) > 0)  # fmt: skip
    say(f"Slurm has put it back into the queue ({restarts(cluster)} restarts)")

    until("a cell at work", lambda: at_work(scene))
    slug = at_work(scene)[0]
    kill(worker_of(scene, slug))
    time.sleep(3)
    say(f"killed the process of a task; its record says: {scene.records()[slug].status}")

    until("a cell at work on node2", lambda: on_node(scene, "node2"))
    victim = on_node(scene, "node2")[0]
    dead = cluster.kill_node("node2")
    say(f"node2 dies with {dead} processes; its record says: {scene.records()[victim].status}")
    launcher.kill()
    launcher.wait()
    queue = cluster.ask("squeue", "--me", "-h", "-r").splitlines()
    say(f"killed the launcher; {len(queue)} tasks in the queue")
    until("Slurm to miss node2", lambda: "down" in cluster.state("node2"), 120)
    say(f"Slurm: node2 is {cluster.state('node2')}; {restarts(cluster)} restarts")
    cluster.start_node("node2")

    code = scene.start("--executor", "slurm", "--collect").wait()
    say(f"run --collect ended with exit code {code}: {scene.counts()}")
    code = scene.start("--executor", "slurm", "--slurm", "partition=all,time=30").wait()
    say(f"run handed over what was left, and ended with exit code {code}: {scene.counts()}")


def restarts(cluster: Cluster) -> int:
    """Count how often tasks were put back into the queue."""
    found = cluster.ask("scontrol", "--oneliner", "show", "job")
    return sum(int(word.removeprefix("Restarts=")) for word in found.split() if word.startswith("Restarts="))


def on_node(scene: Scene, node: str) -> list[str]:
    here = set(processes(f"SLURMD_NODENAME={node}"))
    return [slug for slug in at_work(scene) if worker_of(scene, slug) in here]


def compare(local: Scene, slurm: Scene) -> int:
    """Count the cells whose record is not complete or not the same."""
    expected, found = local.records(), slurm.records()
    wrong = 0
    for slug, record in expected.items():
        other = found.get(slug)
        same = other is not None and (other.status, other.miou, other.confusion_sha256) == (
            "done",
            record.miou,
            record.confusion_sha256,
        )
        wrong += not same
        miou = other.miou if other else None
        say(f"{slug}: mIoU {record.miou} and {miou}{'' if same else '  DIFFERENT'}")
    if len(expected) != CELLS or found.keys() != expected.keys():
        say(f"{len(expected)} cells without Slurm, {len(found)} with it; there are {CELLS}")
        wrong += 1
    return wrong


def main() -> None:
    """Run all of it in a temporary folder, which is kept where something was wrong."""
    install()
    os.environ |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path(__file__).parents[2])}
    folder = Path(tempfile.mkdtemp(prefix="scribblebench-cluster-"))
    data = data_of(folder)
    local, slurm = Scene(folder / "local", data), Scene(folder / "slurm", data)
    say(f"without Slurm: exit code {local.start('--jobs', '2').wait()}, {local.counts()}")
    with Cluster(folder / "cluster") as cluster:
        say(" | ".join(cluster.ask("sinfo").splitlines()))
        suffer(cluster, slurm)
    wrong = compare(local, slurm)
    say(json.dumps({"cells": CELLS, "different": wrong}))
    if wrong:
        raise SystemExit(f"{wrong} cells differ; everything is in {folder}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
