from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from rich.console import Console

from scribblebench.cli._how import _OF_EXECUTORS
from scribblebench.core.cards import LossTerm
from scribblebench.grid.attempt import Ended, Job
from scribblebench.grid.display import Display
from scribblebench.grid.executors import EXECUTORS, local
from scribblebench.grid.executors.local import Local
from scribblebench.grid.executors.slurm import Slurm
from scribblebench.grid.plan import planned
from scribblebench.grid.processes import in_processes
from scribblebench.store.lock import holder, try_lock
from scribblebench.store.plan import read_plan
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places

CUDA = torch.device("cuda")
MEMORY = """
import pathlib
from scribblebench.ops.step import Loss, LossValue
class Hungry(Loss, frozen=True):
    folder: str
    times: int
    def __call__(self, step):
        tries = len(list(pathlib.Path(self.folder).glob("try*")))
        if tries < self.times:
            pathlib.Path(self.folder, f"try{tries}").touch()
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return LossValue(step.logits.sum() * 0)
"""


def test_the_command_line_has_what_executors_take() -> None:
    taken = {field for name in EXECUTORS.names() for field in EXECUTORS.get(name).__struct_fields__}
    assert taken == set(_OF_EXECUTORS)


def test_slots_are_devices_times_cells_on_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5")
    assert local.cards() == ["3", "GPU-5"]
    assert Local(per_device=2).slots(CUDA) == ["3", "GPU-5", "3", "GPU-5"]
    assert Local(3, 2).slots(CUDA) == ["3", "GPU-5", "3"]
    assert Local(per_device=2).slots(torch.device("cuda", 1)) == ["GPU-5", "GPU-5"]
    assert Local(3).slots(torch.device("cpu")) == ["", "", ""]
    assert (Local(3).at_once(2, CUDA), Slurm().at_once(7, CUDA), Slurm(4).at_once(7, CUDA)) == (2, 7, 4)


@pytest.mark.parametrize(("times", "status"), [(1, "done"), (2, "failed")])
def test_a_cell_that_ran_out_of_memory_is_tried_once_more_alone(
    make_cell: Any, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: int, status: str
) -> None:
    (tmp_path / "hungry.py").write_text(MEMORY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    cell: Cell = make_cell("baseline", epochs=1)
    term = LossTerm("hungry:Hungry", options={"folder": str(tmp_path), "times": times})
    method = msgspec.structs.replace(cell.method, name="hungry", losses=(*cell.method.losses, term))
    hungry = msgspec.structs.replace(cell, method=method)
    text = io.StringIO()
    with Display(1, Console(file=text, width=200)) as display:
        # Two slots, so that something else might have taken the memory.
        (ended,) = in_processes([Job(hungry, places, frozenset())], ["", ""], display)
    assert ended.record.status == status
    assert "tried again alone" in text.getvalue()
    assert status == "done" or "out of memory" in ended.record.reason
    assert len(list(tmp_path.glob("try*"))) == times


@pytest.fixture
def queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Slurm that takes every job and never runs one: its queue is a file."""
    folder = tmp_path / "bin"
    folder.mkdir()
    waiting = tmp_path / "queue"
    waiting.touch()
    scripts = {
        "sbatch": 'cp "$1" "$(dirname "$0")/../submitted.sh"\n'
        f'grep -q "#SBATCH --array=0-1" "$1" && printf "7_0\\n7_1\\n" > {waiting} || echo 7 > {waiting}\n'
        "echo Submitted batch job 7",
        "squeue": f"cat {waiting}",
        "srun": "exit 1",
    }
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return waiting


@pytest.mark.skipif(os.name == "nt", reason="Slurm is POSIX")
def test_slurm_is_handed_each_cell_once(
    make_cell: Any, places: Places, queue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher leaves while its tasks wait; what is in the queue is not handed over again."""
    pytest.importorskip("submitit")
    monkeypatch.setattr("scribblebench.grid.executors.slurm.LOOK", 0.01)
    cells = [make_cell("baseline", seed=seed) for seed in (0, 1)]
    jobs = [Job(cell, places, frozenset()) for cell in cells]

    def run(slurm: Slurm, plan_tasks: bool) -> tuple[list[Ended], str]:
        text = io.StringIO()
        plan = planned("g", cells, places, 2)
        assert bool(plan.tasks) == plan_tasks
        with Display(2, Console(file=text, width=200)) as display:
            return slurm.run(jobs, plan, display), text.getvalue()

    monkeypatch.setattr("time.sleep", lambda seconds: queue.write_text("", encoding="utf-8"))
    ended, text = run(Slurm(slurm={"partition": "all", "time": "30", "my-flag": "x"}), False)
    assert "2 cells handed to Slurm" in text
    script = (queue.parent / "submitted.sh").read_text(encoding="utf-8")
    for line in ("partition=all", "time=30", "my-flag=x", "requeue", "signal=USR2@60"):
        assert f"#SBATCH --{line}\n" in script
    assert "export OMP_WAIT_POLICY" in script
    assert [(end.record.status, end.record.reason) for end in ended] == [
        ("interrupted", f"its task 7_{index} left Slurm's queue before its end") for index in (0, 1)
    ]
    plan = read_plan(places.runs, planned("g", cells, places, 2).name)
    assert plan is not None
    assert plan.tasks == {cell.slug: f"7_{index}" for index, cell in enumerate(cells)}

    queue.write_text("7_0\n7_1\n", encoding="utf-8")
    (queue.parent / "submitted.sh").unlink()
    _, text = run(Slurm(), True)
    assert "handed" not in text
    assert not (queue.parent / "submitted.sh").exists()


WAIT = """
import sys, pathlib
from scribblebench.store.lock import try_lock
with try_lock(pathlib.Path(sys.argv[1])):
    print(flush=True)
    sys.stdin.read()
"""


def test_whose_lock_it_is_also_by_another_name_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "cell.lock"
    with subprocess.Popen(
        [sys.executable, "-c", WAIT, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "SCRIBBLEBENCH_HOST": "node-b"},
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with try_lock(path) as held:
            assert not held
        assert holder(path).startswith(f"process {process.pid} on node-b (since ")
        process.communicate(b"")
