"""One cell, run under its lock; its record says how it ended, whatever happens."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import torch

from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.core.files import sweep
from scribblebench.core.tracebacks import described, keep_traceback
from scribblebench.grid.display import Event
from scribblebench.grid.standing import adopt
from scribblebench.grid.stopping import StoppedError
from scribblebench.store.lock import holder, try_lock, wait_lock
from scribblebench.store.progress import ProgressFile
from scribblebench.store.record import Record, Status, lock_path, log_path, write_record
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.predictions import lacks_predictions
from scribblebench.training.run_cell import blank_record, predict_again, run_cell

Send = Callable[[Event], None]
_OUT_OF_MEMORY = "out of memory"


@dataclass(frozen=True)
class Job:
    """A cell and what it takes to run it in another process.

    Attributes:
        cell: what to run.
        places: where things are.
        boundaries: epochs at which other cells of the grid part from this one.
        wait: for another process that is at the cell, instead of leaving it to that.
    """

    cell: Cell
    places: Places
    boundaries: frozenset[int]
    wait: bool = False


class Ended(NamedTuple):
    """What became of a cell.

    Attributes:
        record: its record; ``running`` where another process is at it.
        ours: it was run here and now.
    """

    record: Record
    ours: bool


def attempt(job: Job, send: Send) -> Ended:
    """Run one cell under its lock and write its record, whatever happens.

    Raises:
        NoSpaceError: the disk is full; other cells would fare no better.
    """
    cell, places = job.cell, job.places
    with _locked(job) as held:
        if not held:
            return left(job)
        before = adopt(cell, places)
        if before is not None:  # done long ago, or by another process while this one came to it
            return Ended(_predicted(job, before, send), ours=False)
        sweep(places.runs)
        sweep(places.runs / "checkpoints")
        blank = blank_record(cell, places)
        write_record(places.runs, blank)
        record = _run(job, blank, send)
        write_record(places.runs, record)
        return Ended(record, ours=True)


def left(job: Job) -> Ended:
    """Say who else is at a cell."""
    who = holder(lock_path(job.places.runs, job.cell.slug))
    blank = blank_record(job.cell, job.places)
    return Ended(msgspec.structs.replace(blank, reason=f"left to {who}"), ours=False)


@contextlib.contextmanager
def _locked(job: Job) -> Iterator[bool]:
    path = lock_path(job.places.runs, job.cell.slug)
    if job.wait:
        with wait_lock(path):
            yield True
    else:
        with try_lock(path) as held:
            yield held


def _run(job: Job, blank: Record, send: Send) -> Record:
    started, file = time.perf_counter(), ProgressFile(job.places.runs, job.cell.slug)
    sender = _Sender(job.cell.slug, send, file)
    try:
        return _told(job, blank, lambda: run_cell(job.cell, job.places, sender, job.boundaries))
    except NoSpaceError as error:
        with contextlib.suppress(UserError):  # there may be no room for these few bytes either
            write_record(job.places.runs, _ended(blank, "interrupted", str(error), started))
        raise
    finally:
        file.remove()


def _predicted(job: Job, done: Record, send: Send) -> Record:
    """Keep the predictions of a cell that is done, where that is asked for.

    Returns:
        Its record, which stays as it is, or one that says what went wrong and that nobody writes.
    """
    if not lacks_predictions(job.cell, job.places):
        return done

    def again() -> Record:
        file = ProgressFile(job.places.runs, job.cell.slug)
        predict_again(job.cell, job.places, _Sender(job.cell.slug, send, file), done)
        file.remove()
        return done

    return _told(job, blank_record(job.cell, job.places), again)


def _told(job: Job, blank: Record, work: Callable[[], Record]) -> Record:
    """Work on a cell; whatever goes wrong is told by its record, but for a full disk."""
    started = time.perf_counter()
    try:
        return work()
    except StoppedError as stopped:
        return _ended(blank, "interrupted", str(stopped), started)
    except NoSpaceError:
        raise
    except UserError as error:
        return _ended(blank, "failed", str(error), started)
    except BaseException as error:  # one cell must not take the others with it: an own part may call exit()
        log = log_path(job.places.runs, blank.slug)
        keep_traceback(log, error)
        why = f"{_OUT_OF_MEMORY}: " if is_of_memory(error) else ""
        failed = _ended(blank, "failed", f"{why}{described(error)} (traceback in {log.name})", started)
        return msgspec.structs.replace(failed, log=log.name)


def is_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, of the machine or of the device.

    >>> is_of_memory(MemoryError()), is_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))
    (True, True)
    >>> is_of_memory(RuntimeError("shapes differ"))
    False
    """
    of_torch = isinstance(error, RuntimeError) and "allocate memory" in str(error)
    return of_torch or isinstance(error, MemoryError | torch.OutOfMemoryError)


def out_of_memory(record: Record) -> bool:
    """Tell whether a cell failed for want of memory, or seems to: it may succeed with less beside it."""
    return record.status == "failed" and _OUT_OF_MEMORY in record.reason


def _ended(blank: Record, status: Status, reason: str, started: float) -> Record:
    reason = " ".join(reason.split())
    return msgspec.structs.replace(blank, status=status, reason=reason, seconds=time.perf_counter() - started)


@dataclass(frozen=True)
class _Sender:
    """Turns what a cell tells into events, and notes it for those who look on from elsewhere."""

    slug: str
    send: Send
    file: ProgressFile

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        self._tell(Event(self.slug, "epoch", done, total, curve["loss"]))

    def images(self, done: int, total: int) -> None:
        self._tell(Event(self.slug, "images", done, total))

    def labels(self, done: int, total: int) -> None:
        self._tell(Event(self.slug, "labels", done, total))

    def _tell(self, event: Event) -> None:
        self.send(event)
        self.file.tell(event.what, event.done, event.total)
