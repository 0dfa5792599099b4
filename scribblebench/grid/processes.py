"""Cells in processes of their own: one that dies takes no other with it."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import msgspec

from scribblebench.core.errors import NoSpaceError
from scribblebench.grid.attempt import Ended, Job, left, out_of_memory
from scribblebench.grid.display import Display, Event
from scribblebench.grid.standing import adopt
from scribblebench.grid.stopping import stoppable
from scribblebench.grid.worker import Message, Said, work
from scribblebench.store.lock import try_lock
from scribblebench.store.record import lock_path, write_record
from scribblebench.training.run_cell import blank_record

# Seconds that stopped workers have to write what they have trained.
GRACE = 60.0
_VISIBLE = "CUDA_VISIBLE_DEVICES"
_log = logging.getLogger(__name__)


def in_processes(missing: Sequence[Job], slots: Sequence[str], display: Display) -> list[Ended]:
    """Run jobs, one a slot at once, each in a process that is its own while it lasts.

    A cell that ran out of memory beside others is tried once more when those have ended, alone.

    Args:
        missing: the jobs.
        slots: for each process that there may be at once, the CUDA device that it sees, or nothing.
        display: is told of everything.

    Raises:
        NoSpaceError: the disk is full; no further cell was begun.
        KeyboardInterrupt: a signal stopped the run; what was trained is kept.
    """
    with stoppable():
        workers = _Workers(missing, slots, display)
        try:
            workers.run()
            workers.run_alone()
        finally:
            workers.stop()
    return workers.ended


@dataclass
class _Worker:
    """A process, our end of its channel, the device it sees, and the job it is at."""

    process: BaseProcess
    channel: Connection
    slot: str
    job: Job | None = None


class _Workers:
    """Hands out jobs, hears of what becomes of them, and replaces the dead."""

    def __init__(self, missing: Sequence[Job], slots: Sequence[str], display: Display) -> None:
        self.ended: list[Ended] = []
        self._waiting = deque(missing)
        self._alone: deque[Job] | None = deque() if len(slots) > 1 else None
        self._free = list(slots)
        self._display = display
        self._alive: list[_Worker] = []

    def run(self) -> None:
        """Run all jobs, as many at once as there are slots."""
        while self._waiting or any(worker.job for worker in self._alive):
            while self._waiting and (self._free or any(worker.job is None for worker in self._alive)):
                self._hand_out(self._waiting.popleft())
            self._listen()

    def run_alone(self) -> None:
        """Run those that ran out of memory once more, one at a time and with nothing beside them."""
        again, self._alone = self._alone or deque(), None
        for job in again:
            for worker in list(self._alive):  # an idle process holds memory, too
                worker.process.terminate()
                self._bury(worker)
            self._waiting.append(job)
            self.run()

    def stop(self) -> None:
        """End all workers; those at work keep what they have trained."""
        for worker in self._alive:
            worker.process.terminate()
        deadline = time.monotonic() + GRACE
        while any(worker.job for worker in self._alive) and time.monotonic() < deadline:
            with contextlib.suppress(NoSpaceError):  # what cannot be kept is trained again
                self._listen()
        for worker in self._alive:
            worker.process.kill()
            worker.process.join()
            worker.channel.close()

    def _hand_out(self, job: Job) -> None:
        worker = next((worker for worker in self._alive if worker.job is None), None)
        if worker is None:
            worker = _begin(self._free.pop(0))
            self._alive.append(worker)
        worker.job = job
        try:
            worker.channel.send(job)
        except OSError:  # it died idle; the next look at it tells
            return

    def _listen(self) -> None:
        """Wait for something to happen, and deal with it."""
        by_end = {worker.channel: worker for worker in self._alive}
        for channel in wait(list(by_end), timeout=1.0):
            worker = by_end[channel]  # type: ignore[index]  # only connections were waited for
            try:
                self._hear(worker, worker.channel.recv())
            except (EOFError, OSError):
                self._bury(worker)

    def _hear(self, worker: _Worker, message: Message) -> None:
        if isinstance(message, Event):
            self._display.event(message)
        elif isinstance(message, Said):
            _log.log(message.level, "%s", message.text)
        elif isinstance(message, NoSpaceError):
            worker.job = None
            self._waiting.clear()
            raise message
        else:
            job, worker.job = worker.job, None
            self._end(message, job)

    def _end(self, ended: Ended, job: Job | None) -> None:
        if job is not None and self._alone is not None and out_of_memory(ended.record):
            self._alone.append(job)
            self._display.line(f"{job.cell.slug}: {ended.record.reason}; it is tried again alone, later.")
            return
        self.ended.append(ended)
        self._display.finished(ended.record)

    def _bury(self, worker: _Worker) -> None:
        self._alive.remove(worker)
        self._free.append(worker.slot)
        worker.process.join()
        worker.channel.close()
        if worker.job is not None:
            self._end(_killed(worker.job, worker.process.exitcode), worker.job)


def _begin(slot: str) -> _Worker:
    context = multiprocessing.get_context("spawn")  # a forked CUDA context does not work
    ours, theirs = context.Pipe()
    level = logging.getLogger("scribblebench").getEffectiveLevel()
    process = context.Process(target=work, args=(theirs, os.getpid(), level))
    with _seeing(slot):
        process.start()
    theirs.close()
    return _Worker(process, ours, slot)


@contextlib.contextmanager
def _seeing(card: str) -> Iterator[None]:
    """Let a process that is started in the block see one CUDA device alone."""
    before = os.environ.get(_VISIBLE)
    if card:
        os.environ[_VISIBLE] = card
    try:
        yield
    finally:
        if before is not None:
            os.environ[_VISIBLE] = before
        elif card:
            del os.environ[_VISIBLE]


def _killed(job: Job, code: int | None) -> Ended:
    """Write the record of a cell whose process died, unless another has it by now, or it was done before."""
    with try_lock(lock_path(job.places.runs, job.cell.slug)) as held:
        if not held:
            return left(job)
        done = adopt(job.cell, job.places)
        if done is not None:  # it died on its way to tell
            return Ended(done, ours=True)
        blank = blank_record(job.cell, job.places)
        record = msgspec.structs.replace(blank, status="failed", reason=_cause(code))
        write_record(job.places.runs, record)
        return Ended(record, ours=True)


def _cause(code: int | None) -> str:
    """Say how a process ended.

    >>> _cause(-9), _cause(-11), _cause(3)
    ('killed (signal 9; out of memory?)', 'killed (signal 11, SIGSEGV)', 'its process ended with code 3')
    """
    if code == -9:
        return "killed (signal 9; out of memory?)"
    if code is not None and code < 0:
        return f"killed (signal {-code}, {signal.Signals(-code).name})"
    return f"its process ended with code {code}"
