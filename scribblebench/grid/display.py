"""What a person sees while a grid runs: bars on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from scribblebench.store.record import Record

_DOING = {"images": "scoring", "labels": "labelling"}


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
    """

    cells: int
    console: Console
    _finished: int = 0
    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self._all = self._bars.add_task("cells", total=self.cells, note="")

    def __enter__(self) -> Display:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

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
            self.line(f"{event.cell}: epoch {event.done}/{event.total} {note}")
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
        self.line(f"[{self._finished}/{self.cells}] {slug}: {how} ({seconds:.0f} s)")

    def line(self, text: str) -> None:
        """Write a line above the bars."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _advance(self) -> None:
        self._finished += 1
        self._bars.update(self._all, completed=self._finished)
