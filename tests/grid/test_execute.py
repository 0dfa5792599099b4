from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.console import Console

from scribblebench.core.cards import LossTerm
from scribblebench.core.errors import NoSpaceError
from scribblebench.grid.attempt import Ended
from scribblebench.grid.display import Display
from scribblebench.grid.execute import execute, outcome
from scribblebench.grid.executors.local import Local
from scribblebench.grid.how import How, Outcome
from scribblebench.store.lock import try_lock
from scribblebench.store.record import (
    Record,
    confusion_path,
    find_record,
    lock_path,
    read_records,
    record_path,
)
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.train import Checkpoints


def run(cells: list[Cell], places: Places, how: How | None = None) -> tuple[list[Record], str]:
    text = io.StringIO()
    with Display(len(cells), Console(file=text, width=200)) as display:
        ended = execute(cells, places, how or How(Local(1)), display)
    return [record for record, _ in ended], text.getvalue()


def hopeless(cell: Cell) -> Cell:
    """A cell that fails after it has begun: its loss runs away."""
    optimizer = msgspec.structs.replace(cell.protocol.optimizer, part="sgd", lr=1e30, backbone_lr=None)
    protocol = msgspec.structs.replace(cell.protocol, optimizer=optimizer)
    return msgspec.structs.replace(cell, protocol=protocol)


def test_one_failure_does_not_take_the_others_with_it(make_cell: Any, places: Places) -> None:
    cells = [hopeless(make_cell("baseline", epochs=1)), make_cell("rw", epochs=1)]
    records, text = run(cells, places, How(Local(2)))
    assert {record.method: record.status for record in records} == {"baseline": "failed", "rw": "done"}
    assert "Lower the learning rate" in text
    assert "epoch 1/1 loss" in text  # a line an epoch where there is no terminal
    assert {record.cell for record in read_records(places.runs).records} == {cell.id for cell in cells}
    records, text = run(cells, places, How(Local(2)))
    assert [record.method for record in records] == ["baseline"]  # the failed one is tried again
    assert "done before" in text


def test_a_cell_that_another_process_holds_is_left_to_it(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    with try_lock(lock_path(places.runs, cell.slug)) as held:
        assert held
        records, text = run([cell], places)
    assert [record.status for record in records] == ["running"]
    assert f"running: left to process {os.getpid()}" in text
    assert find_record(places.runs, cell.id) is None


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_run_that_is_stopped_says_so_and_carries_on(mini: Path, tmp_path: Path) -> None:
    arguments = f"--grid shrink --methods baseline,rw --data-dir {mini} --jobs 2 --rates"
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
    assert len(statuses) <= 2  # no further cell was begun
    again = subprocess.run([*command, "0", "--set", "epochs=1"], cwd=tmp_path, capture_output=True, text=True)
    assert again.returncode == 0
    assert "2 run now, 0 failed" in again.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_a_second_signal_ends_at_once_with_a_word(mini: Path, tmp_path: Path) -> None:
    arguments = f"--grid shrink --methods baseline --rates 0 --data-dir {mini} --jobs 1 --set epochs=2000"
    command = [sys.executable, "-m", "scribblebench", "run", *arguments.split()]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if "epoch" in line)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "The same command carries on." in rest
    assert "Traceback" not in rest


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


MISCHIEF = """
import errno, os, signal, sys
from scribblebench.ops.step import Loss, LossValue
class Mischief(Loss, frozen=True):
    deed: str
    def __call__(self, step):
        if self.deed == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.deed == "exit":
            sys.exit("enough")
        if self.deed == "interrupt":
            raise KeyboardInterrupt
        if self.deed == "full":
            os.fsync = full
        return LossValue(step.logits.sum() * 0) if self.deed == "full" else LossValue(step.not_there)
def full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")
"""


def spoilt(cell: Cell, deed: str) -> Cell:
    """A cell with a loss of the user's own that misbehaves."""
    term = LossTerm("mischief:Mischief", options={"deed": deed})
    method = msgspec.structs.replace(cell.method, name=deed, losses=(*cell.method.losses, term))
    return msgspec.structs.replace(cell, method=method)


def test_a_cell_that_takes_its_process_with_it_is_one_failed_cell(
    make_cell: Any, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mischief.py").write_text(MISCHIEF, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    good = make_cell("baseline", epochs=1)
    deeds = ["die", "exit", "interrupt", "raise"]
    records, _ = run([*(spoilt(good, deed) for deed in deeds), good], places, How(Local(2)))
    by_method = {record.method: record for record in records}
    assert {name: record.status for name, record in by_method.items()} == {
        **dict.fromkeys(deeds, "failed"),
        "baseline": "done",
    }
    assert by_method["die"].reason == "killed (signal 9; out of memory?)"
    assert "SystemExit in the loss 'mischief:Mischief': enough" in by_method["exit"].reason
    raised = by_method["raise"]
    assert "AttributeError in the loss 'mischief:Mischief'" in raised.reason
    assert "\n" not in raised.reason
    assert raised.log in raised.reason
    assert "not_there" in (places.runs / raised.log).read_text(encoding="utf-8")
    assert {r.slug for r in read_records(places.runs).records} == {r.slug for r in records}


def test_a_cell_under_another_name_gets_a_record_of_its_own(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    method = msgspec.structs.replace(cell.method, name="twin", title="A twin")
    twin = msgspec.structs.replace(cell, method=method)
    assert twin.id == cell.id
    run([cell], places)
    records, text = run([cell, twin], places)
    assert records == []
    assert "done before, under another name" in text
    first, second = read_records(places.runs).records
    assert (first.method, second.method, second.method_title) == ("baseline", "twin", "A twin")
    assert first.miou == second.miou
    assert run([twin], places) == ([], f"[1/1] {twin.slug}: done before\n")


def test_a_damaged_result_is_made_again_and_a_sound_one_is_the_same(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    (first,), _ = run([cell], places)
    for path in (record_path(places.runs, cell.slug), confusion_path(places.runs, cell.slug)):
        raw = path.read_bytes()
        path.write_bytes(raw[:-20])
        (again,), text = run([cell], places)
        assert "damaged; it is run again" in text
        assert (again.miou, again.curve) == (first.miou, first.curve)
        assert run([cell], places)[0] == []


def test_rerun_forgets_weights(make_cell: Any, places: Places) -> None:
    good, bad = make_cell("rw", epochs=4), hopeless(make_cell("baseline", epochs=1))
    run([good, bad], places)
    finals = [Checkpoints(places.runs / "checkpoints", cell).final for cell in (good, bad)]
    before = finals[0].stat().st_mtime_ns
    finals[1].write_bytes(b"of a part that was mended since")
    records, _ = run([good, bad], places, How(Local(1), rerun="failed"))
    assert [record.method for record in records] == ["baseline"]
    assert [path.exists() for path in finals] == [True, False]
    assert not list(places.runs.rglob("*.damaged"))
    assert finals[0].stat().st_mtime_ns == before
    records, _ = run([good, bad], places, How(Local(1), rerun="all"))
    assert [(record.method, record.status) for record in records] == [("rw", "done"), ("baseline", "failed")]
    assert finals[0].stat().st_mtime_ns > before


def test_who_does_not_wait_leaves_a_cell_and_who_waits_gets_it(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    taken, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with try_lock(lock_path(places.runs, cell.slug)):
            taken.set()
            let_go.wait()

    class Telling(io.StringIO):
        def write(self, text: str) -> int:
            if "left to" in text:
                let_go.set()
            return super().write(text)

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    with Display(1, Console(file=Telling(), width=200)) as display:
        ended = execute([cell], places, How(Local(1), wait=True), display)
    holder.join()
    assert outcome(1, ended) == Outcome(before=0, run=1, failed=0)
    another = Ended(msgspec.structs.replace(ended[0].record, status="running", miou=None), ours=False)
    assert outcome(3, [*ended, another]) == Outcome(before=1, run=1, failed=0, left=1)


def test_a_full_disk_stops_the_grid(
    make_cell: Any, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mischief.py").write_text(MISCHIEF, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    cell = make_cell("baseline", epochs=1)
    with pytest.raises(NoSpaceError, match="No space left"):
        run([spoilt(cell, "full"), spoilt(cell, "raise"), cell], places)
    found = read_records(places.runs)
    assert found.damaged == []
    assert {record.method for record in found.records} <= {"full"}  # no other cell was begun
