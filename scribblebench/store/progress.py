"""How far cells are that some process is at: one small file each, beside the records, gone when they end."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Literal

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.files import write_atomic

# Seconds between two writings of a cell: whoever looks does so now and then.
SELDOM = 1.0
What = Literal["epoch", "images", "labels"]


class Progress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a cell is.

    Attributes:
        what: what is counted: epochs, validation images scored, or training images labelled.
        done: how many of ``total``.
        total: epochs or images.
        seconds: since this counting began.
        counted: of ``done``, those of these seconds; fewer where the cell was resumed.
    """

    what: What
    done: int
    total: int
    seconds: float
    counted: int

    @property
    def left(self) -> float | None:
        """Seconds until ``total``, if it goes on like this; None before anything is known.

        >>> Progress("epoch", 12, 20, seconds=8.0, counted=4).left
        16.0
        """
        return (self.total - self.done) * self.seconds / self.counted if self.counted else None


def progress_path(runs: Path, slug: str) -> Path:
    """Return the file that says how far a cell is."""
    return runs / "progress" / f"{slug}.json"


def read_progress(runs: Path, slug: str) -> Progress | None:
    """Read how far a cell is; None where nobody says, or says it as another version of the program does."""
    try:
        return msgspec.json.decode(progress_path(runs, slug).read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError):
        return None


class ProgressFile:
    """The file of one cell.

    Args:
        runs: folder of records.
        slug: the cell's.
    """

    def __init__(self, runs: Path, slug: str) -> None:
        self._path = progress_path(runs, slug)
        self._what: What | None = None
        self._first = 0
        self._since = self._written = time.monotonic()

    def tell(self, what: What, done: int, total: int) -> None:
        """Note how far the cell is; not each time, and never at the price of the cell."""
        now = time.monotonic()
        if what != self._what:
            # What was done when the counting began is not known from its first report alone: of a cell that
            # was resumed at epoch 10 that is 11.
            self._what, self._first, self._since = what, done, now
        elif now - self._written < SELDOM:
            return
        found = Progress(what, done, total, round(now - self._since, 3), done - self._first)
        with contextlib.suppress(UserError):  # a full disk is the cell's own to tell of
            write_atomic(self._path, msgspec.json.encode(found), durable=False)
        self._written = now

    def remove(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
