"""Measuring what is missing: one file a measurement, and one that fails does not take the others with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from scribblebench.core.cards import MethodCard
from scribblebench.grid.asked import Asked
from scribblebench.grid.attempt import described
from scribblebench.grid.display import Display
from scribblebench.grid.jobs import Outcome
from scribblebench.store.measurement import Measurement, Value, write_measurement
from scribblebench.training import provenance

Rows = Iterable[dict[str, Value]]


@dataclass(frozen=True)
class Task:
    """Something to be measured: a measurement without its numbers, and how to get them."""

    blank: Measurement
    measure: Callable[[], Rows]


@dataclass(frozen=True)
class Measurements:
    """What a job measures (see ``Work``)."""

    tasks: Sequence[Task]
    runs: Path

    def cells(self) -> dict[str, bool]:
        """List every measurement's name, and whether it is there."""
        return {task.blank.slug: self._is_done(task) for task in self.tasks}

    def run(self, jobs: int, display: Display) -> Outcome:
        """Measure what is missing, one after the other: two at once would disturb each other."""
        del jobs
        ended = []
        for task in self.tasks:
            if self._is_done(task):
                display.skipped(task.blank.slug, "done before")
            else:
                ended.append(self._attempt(task, display))
        return Outcome(len(ended), ended.count(False))

    def _is_done(self, task: Task) -> bool:
        return task.blank.path(self.runs).exists()

    def _attempt(self, task: Task, display: Display) -> bool:
        """Measure, write and show; tell whether that went well."""
        started, since = datetime.now(UTC), time.perf_counter()
        try:
            rows = list(task.measure())
        except Exception as error:  # one measurement must not take the others with it
            display.ended(task.blank.slug, f"failed: {described(error)}", time.perf_counter() - since)
            return False
        seconds = time.perf_counter() - since
        done = msgspec.structs.replace(
            task.blank,
            rows=rows,
            started=started.isoformat(timespec="seconds"),
            seconds=round(seconds, 3),
        )
        write_measurement(self.runs, done)
        display.ended(task.blank.slug, "measured", seconds)
        return True


def blank_measurement(asked: Asked, method: MethodCard, identity: dict[str, Any]) -> Measurement:
    """Return the measurement of a method before it has numbers."""
    return Measurement(
        job=asked.grid.job,
        method=method.name,
        method_title=method.title,
        dataset=asked.dataset.name,
        protocol=asked.protocol.name,
        overrides=asked.overrides,
        identity={"job": asked.grid.job, **identity},
        versions=provenance.versions(),
        device=provenance.device_name(asked.device),
        commit=provenance.commit(),
        command=provenance.command(),
    )
