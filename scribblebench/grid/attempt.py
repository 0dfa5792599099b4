"""One cell, run under its lock; its record says how it ended, whatever happens."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.grid.display import Event
from scribblebench.store.lock import try_lock
from scribblebench.store.record import Record, Status, find_record, record_path, write_record
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.run_cell import blank_record, run_cell

Send = Callable[[Event], None]


@dataclass(frozen=True)
class Job:
    """A cell and what it takes to run it in another process."""

    cell: Cell
    places: Places
    boundaries: frozenset[int]


def attempt(job: Job, send: Send) -> Record:
    """Run one cell under its lock and write its record, whatever happens."""
    cell, places = job.cell, job.places
    blank = blank_record(cell, places)
    with try_lock(record_path(places.runs, cell.slug).with_suffix(".lock")) as held:
        if not held:
            return msgspec.structs.replace(blank, reason="another process is at it")
        before = find_record(places.runs, cell.id)
        if before is not None and before.status == "done":
            return before  # another process ended it while this one came to it
        write_record(places.runs, blank)
        started = time.perf_counter()
        try:
            record = run_cell(cell, places, _Sender(cell.slug, send), job.boundaries)
        except KeyboardInterrupt:
            record = _ended(blank, "interrupted", "stopped by a signal", started)
        except Exception as error:  # one cell must not take the others with it
            record = _ended(blank, "failed", described(error), started)
        write_record(places.runs, record)
        return record


def described(error: Exception) -> str:
    """Return an error as one line; one that the user cannot mend carries its type."""
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"


def _ended(blank: Record, status: Status, reason: str, started: float) -> Record:
    return msgspec.structs.replace(blank, status=status, reason=reason, seconds=time.perf_counter() - started)


@dataclass(frozen=True)
class _Sender:
    """Turns what a cell tells into events."""

    slug: str
    send: Send

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        self.send(Event(self.slug, "epoch", done, total, curve["loss"]))

    def images(self, done: int, total: int) -> None:
        self.send(Event(self.slug, "images", done, total))


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM interrupt the block as Ctrl-C does, so that a record says so."""
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interrupt(number: int, frame: FrameType | None) -> None:
    """Interrupt: a signal handler."""
    raise KeyboardInterrupt
