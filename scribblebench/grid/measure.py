"""Measuring what is missing: one file a measurement, and one that fails does not take the others with it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import torch

from scribblebench.core.cards import MethodCard
from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.core.tracebacks import described, keep_traceback
from scribblebench.grid.asked import Asked
from scribblebench.grid.display import Display
from scribblebench.grid.how import How, Outcome
from scribblebench.grid.standing import Standing
from scribblebench.store.measurement import Measurement, Value, read_measurement, write_measurement
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

    def cells(self) -> dict[str, Standing]:
        """List every measurement's name, and whether it is there."""
        return {task.blank.slug: self._standing(task) for task in self.tasks}

    def warnings(self) -> Sequence[str]:
        """None: what is measured here needs no data."""
        return ()

    def forecast(self, how: How, probed: bool) -> None:
        """Nothing is known of it."""
        del how, probed

    def run(self, how: How, display: Display) -> Outcome:
        """Measure what is missing, one after the other: two at once would disturb each other."""
        ended = []
        for task in self.tasks:
            if how.rerun != "all" and self._standing(task) == "done":
                display.skipped(task.blank.slug, "done before")
            else:
                ended.append(self._attempt(task, display))
        return Outcome(len(self.tasks) - len(ended), len(ended), ended.count(False))

    def _standing(self, task: Task) -> Standing:
        path = task.blank.path(self.runs)
        if not path.exists():
            return "missing"
        try:
            read_measurement(path)
        except UserError:
            return "damaged"
        return "done"

    def _attempt(self, task: Task, display: Display) -> bool:
        """Measure, write and show; tell whether that went well."""
        started, since = datetime.now(UTC), time.perf_counter()
        try:
            rows = list(task.measure())
        except (NoSpaceError, KeyboardInterrupt):
            raise
        except BaseException as error:  # one measurement must not take the others with it
            log = task.blank.path(self.runs).with_suffix(".log")
            keep_traceback(log, error)
            how = f"failed: {described(error)} (traceback in {log})"
            display.ended(task.blank.slug, how, time.perf_counter() - since)
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
        device=provenance.device_name(asked.device, torch.get_num_threads()),
        commit=provenance.commit(),
        command=provenance.command(),
    )
