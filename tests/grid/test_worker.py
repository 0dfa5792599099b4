"""Processes that run cells, and what is made of those that end in the midst of it."""

from __future__ import annotations

import logging
import multiprocessing
import os
from typing import Any

import pytest

from scribblebench.grid.attempt import Job, attempt
from scribblebench.grid.processes import _killed
from scribblebench.grid.worker import _one, work
from scribblebench.store.lock import try_lock
from scribblebench.store.record import lock_path, read_record, record_path
from scribblebench.training.data import Places


@pytest.fixture
def job(make_cell: Any, places: Places) -> Job:
    return Job(make_cell("baseline", epochs=1), places, frozenset())


def test_a_cell_whose_launcher_is_gone_is_interrupted_not_failed(job: Job) -> None:
    ours, theirs = multiprocessing.Pipe()
    ours.send(job)
    ours.close()
    with pytest.raises(BrokenPipeError):
        _one(theirs)
    record = read_record(record_path(job.places.runs, job.cell.slug))
    assert (record.status, record.reason) == ("interrupted", "its launcher is gone")


def test_a_worker_whose_launcher_was_killed_ends_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.send("what nobody reads any more")
    ours.close()
    context = multiprocessing.get_context("spawn")
    worker = context.Process(target=work, args=(theirs, os.getpid(), logging.INFO))
    worker.start()
    worker.join(60)
    assert worker.exitcode == 0
    assert capfd.readouterr().err == ""


def test_a_process_that_died_behind_its_cell_takes_nothing_from_it(job: Job) -> None:
    path = record_path(job.places.runs, job.cell.slug)
    with try_lock(lock_path(job.places.runs, job.cell.slug)):
        told = _killed(job, -9)
        assert not told.ours  # another process is at it
        assert "left to" in told.record.reason
    assert not path.exists()
    attempt(job, lambda event: None)
    before = path.read_bytes()
    told = _killed(job, -9)
    assert told.ours
    assert told.record.status == "done"
    assert path.read_bytes() == before


def test_a_process_that_died_at_its_cell_says_how(job: Job) -> None:
    assert _killed(job, -9).ours
    record = read_record(record_path(job.places.runs, job.cell.slug))
    assert (record.status, record.reason) == ("failed", "killed (signal 9; out of memory?)")
