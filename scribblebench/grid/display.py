"""What a person sees while a grid runs: bars on a terminal, a line an epoch elsewhere, and a log file."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from scribblebench.grid.estimate import lasting
from scribblebench.store.record import Record

_DOING = {"images": "scoring", "labels": "labelling"}
_logger = logging.getLogger("scribblebench")


class Event(NamedTuple):
    """Something that happened to a cell.

    Attributes:
        cell: its slug.
        what: an epoch is over, or some validation images are scored, or training images have new labels.
        done: how many of ``total``.
        total: epochs or images.
        loss: the epoch's mean loss; 0 for images.
    """

    cell: str
    what: Literal["epoch", "images", "labels"]
    done: int
    total: int
    loss: float = 0.0


@dataclass
class Display:
    """Shows events and results.

    Args:
        cells: how many cells the grid has.
        console: where to write.
        log: file to which every line goes too, or None.
        at_once: cells at once, for the time that is left.
    """

    cells: int
    console: Console
    log: Path | None = None
    at_once: int = 1
    _finished: int = 0
    _seconds: list[float] = field(default_factory=list)
    _tasks: dict[str, TaskID] = field(default_factory=dict)
    _first: dict[str, tuple[int, float]] = field(default_factory=dict)
    _file: TextIO | None = None

    def __post_init__(self) -> None:
        self._open = ExitStack()
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._all = self._bars.add_task("cells", total=self.cells, note="")

    def __enter__(self) -> Display:
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._open.enter_context(self.log.open("a", encoding="utf-8", newline="\n"))
        handler = _Lines(self)
        _logger.addHandler(handler)
        self._open.callback(_logger.removeHandler, handler)
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()
        self._open.close()

    def expect(self, more: int) -> None:
        """Count on more cells than were announced."""
        self.cells += more
        self._bars.update(self._all, total=self.cells)

    def event(self, event: Event) -> None:
        """Show one event."""
        note = f"loss {event.loss:.3f}" if event.what == "epoch" else _DOING[event.what]
        if self.console.is_terminal:
            if event.cell not in self._tasks:
                self._tasks[event.cell] = self._bars.add_task(event.cell, note="")
            self._bars.update(self._tasks[event.cell], completed=event.done, total=event.total, note=note)
        elif event.what == "epoch":
            self.line(f"{event.cell}: epoch {event.done}/{event.total} {note}{self._cell_left(event)}")
        elif event.what == "labels" and event.done == event.total:
            self.line(f"{event.cell}: {event.total} training images labelled")

    def skipped(self, slug: str, why: str) -> None:
        """Show that a cell needs no run."""
        self._advance()
        self.line(f"[{self._finished}/{self.cells}] {slug}: {why}")

    def finished(self, record: Record) -> None:
        """Show how a training ended."""
        end = f"mIoU {record.miou:.1%}" if record.miou is not None else f"{record.status}: {record.reason}"
        end += f", with CRF {record.miou_crf:.1%}" if record.miou_crf is not None else ""
        self.ended(record.slug, end, record.seconds)

    def ended(self, slug: str, how: str, seconds: float) -> None:
        """Show how a cell ended."""
        self._advance()
        if slug in self._tasks:
            self._bars.remove_task(self._tasks.pop(slug))
        if seconds:
            self._seconds.append(seconds)
        self.line(f"[{self._finished}/{self.cells}] {slug}: {how} ({seconds:.0f} s){self._left()}")

    def line(self, text: str) -> None:
        """Write a line above the bars, and into the log file."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)
        if self._file is not None:
            self._file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} {text}\n")
            self._file.flush()

    def _advance(self) -> None:
        self._finished += 1
        self._bars.update(self._all, completed=self._finished)

    def _left(self) -> str:
        """Say how long the other cells will take if they take as long as those behind us."""
        others = self.cells - self._finished
        if not others or not self._seconds:
            return ""
        mean = sum(self._seconds) / len(self._seconds)
        return f", about {lasting(mean * others / self.at_once)} left"

    def _cell_left(self, event: Event) -> str:
        """Say how long a cell will train if its epochs take as long as those that were heard of."""
        now = time.monotonic()
        first, since = self._first.setdefault(event.cell, (event.done, now))
        if first == event.done or event.done == event.total:
            return ""
        return f", {lasting((now - since) / (event.done - first) * (event.total - event.done))} left"


class _Lines(logging.Handler):
    """Shows what the program has to say as lines among the others."""

    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Show one."""
        self._display.line(f"{record.levelname.lower()}: {record.getMessage()}")
