from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from scribblebench.grid.display import Display
from scribblebench.grid.execute import execute
from scribblebench.store.lock import try_lock
from scribblebench.store.record import Record, find_record, read_records, record_path
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places


def run(cells: list[Cell], places: Places, jobs: int = 1) -> tuple[list[Record], str]:
    text = io.StringIO()
    with Display(len(cells), Console(file=text, width=200)) as display:
        records = execute(cells, places, jobs, display)
    return records, text.getvalue()


def hopeless(cell: Cell) -> Cell:
    """A cell that fails after it has begun: its loss runs away."""
    optimizer = msgspec.structs.replace(cell.protocol.optimizer, part="sgd", lr=1e30, backbone_lr=None)
    protocol = msgspec.structs.replace(cell.protocol, optimizer=optimizer)
    return msgspec.structs.replace(cell, protocol=protocol)


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_failure_does_not_take_the_others_with_it(make_cell: Any, places: Places, jobs: int) -> None:
    cells = [hopeless(make_cell("baseline", epochs=1)), make_cell("rw", epochs=1)]
    records, text = run(cells, places, jobs)
    assert {record.method: record.status for record in records} == {"baseline": "failed", "rw": "done"}
    assert "Lower the learning rate" in text
    assert "epoch 1/1 loss" in text  # a line an epoch where there is no terminal
    assert {record.cell for record in read_records(places.runs).records} == {cell.id for cell in cells}
    records, text = run(cells, places, jobs)
    assert [record.method for record in records] == ["baseline"]  # the failed one is tried again
    assert "done before" in text


def test_a_cell_that_another_process_holds_is_left_to_it(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    with try_lock(record_path(places.runs, cell.slug).with_suffix(".lock")) as held:
        assert held
        records, text = run([cell], places)
    assert [record.status for record in records] == ["running"]
    assert "another process" in text
    assert find_record(places.runs, cell.id) is None


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_is_stopped_says_so_and_carries_on(mini: Path, tmp_path: Path, jobs: int) -> None:
    arguments = f"--grid shrink --methods baseline,rw --data-dir {mini} --jobs {jobs} --rates"
    command = [sys.executable, "-m", "scribblebench", "run", *arguments.split()]
    with subprocess.Popen(
        [*command, "0,0.2,0.5,0.7", "--set", "epochs=2000"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "epoch" in line)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert "epoch 1/2000" in line
    assert process.returncode == 130
    assert "carries on" in rest
    assert "Traceback" not in rest
    statuses = [record.status for record in read_records(tmp_path / "results/runs").records]
    assert set(statuses) == {"interrupted"}
    assert len(statuses) <= jobs  # no further cell was begun
    again = subprocess.run([*command, "0", "--set", "epochs=1"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0
    assert "2 run now, 0 failed" in again.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_no_worker_outlives_a_killed_run(mini: Path, tmp_path: Path) -> None:
    arguments = f"--grid shrink --rates 0 --methods baseline,rw --data-dir {mini} --jobs 2 --set epochs=2000"
    command = [sys.executable, "-m", "scribblebench", "run", *arguments.split()]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "epoch" in line)
        process.kill()
    locks = sorted((tmp_path / "results/runs").glob("*.lock"))
    assert locks
    deadline = time.monotonic() + 30
    free: set[Path] = set()
    while len(free) < len(locks) and time.monotonic() < deadline:
        time.sleep(0.2)
        for path in locks:
            with try_lock(path) as held:
                free |= {path} if held else set()
    assert free == set(locks)
