"""From initial to final weights: stages, epochs, checkpoints, and beginnings that methods share."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from scribblebench.store.lock import wait_lock
from scribblebench.training import checkpoint
from scribblebench.training.cell import Cell
from scribblebench.training.checkpoint import Progress, State
from scribblebench.training.memory import peak_mb
from scribblebench.training.spans import Span
from scribblebench.training.stages import Stages

# A killed run loses at most this many seconds and the epoch it was in; an interrupted one the epoch alone.
SAVE_EVERY = 30.0


class Watcher(Protocol):
    """Is told how far a cell has come."""

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        """Hear that an epoch is over."""

    def images(self, done: int, total: int) -> None:
        """Hear how many validation images are scored."""

    def labels(self, done: int, total: int) -> None:
        """Hear how many training images have the labels of the stage that begins."""


def final_weights(folder: Path, training_id: str) -> Path:
    """Return the file of the last epoch's weights of a training."""
    return folder / f"{training_id}.safetensors"


@dataclass(frozen=True)
class Checkpoints:
    """Where the weights of one training are kept.

    Attributes:
        folder: all checkpoints.
        cell: whose they are.
    """

    folder: Path
    cell: Cell

    @property
    def final(self) -> Path:
        """Weights of the last epoch: the ones that are reported."""
        return final_weights(self.folder, self.cell.training_id)

    @property
    def partial(self) -> Path:
        """State of a run that is under way."""
        return self.folder / f"{self.cell.training_id}.partial.safetensors"

    def prefix(self, epochs: int) -> Path:
        """State after some epochs, shared by every run that is the same up to there."""
        return self.folder / f"prefix-{self.cell.prefix_id(epochs)}.safetensors"


def train(stages: Stages, kept: Checkpoints, watcher: Watcher, boundaries: Collection[int]) -> Progress:
    """Train to the last epoch, from the furthest state there is.

    Cells that differ in their evaluation alone share the training: the first to come does it. A checkpoint
    that is damaged is set aside. An interrupt keeps the state after the last whole epoch.

    Args:
        stages: the network, and what it is trained with.
        kept: where the states are.
        watcher: is told of every epoch.
        boundaries: epochs at which other runs part from this one; the state there is kept for them. The
            first to come trains up to there, the others wait and carry on from its state.

    Raises:
        NoSpaceError: the checkpoints have no room.
        UserError: the loss or a weight is no longer finite.
    """
    network = stages.trainer.network
    with wait_lock(kept.final.with_suffix(".lock")):
        progress = checkpoint.restore(kept.final, network)
        if progress is None:
            checkpoint.require_room(kept.folder, network)
            progress = _Run(stages, kept, watcher).to_the_end(boundaries)
            checkpoint.save(kept.final, network, None, progress)
            kept.partial.unlink(missing_ok=True)
    return progress


class _Run:
    """A training under way, and the last state it can be resumed from."""

    def __init__(self, stages: Stages, kept: Checkpoints, watcher: Watcher) -> None:
        self.stages = stages
        self.trainer = stages.trainer
        self.kept = kept
        self.watcher = watcher
        self.progress = self._restored(kept.partial) or Progress(0, 0.0, [])
        if not stages.can_resume(self.progress.epochs):
            stages.begin_anew()
            self.progress = Progress(0, 0.0, [])
        self._unsaved: State | None = None
        self._saved = time.perf_counter()

    def to_the_end(self, boundaries: Collection[int]) -> Progress:
        """Train to the last epoch; an interrupt leaves the partial state."""
        ends = sorted({*boundaries, *self.kept.cell.boundaries()})
        try:
            for span in self.stages.spans:
                if self.progress.epochs < span.last:
                    self._stage(span, [end for end in ends if span.first < end <= span.last])
        except KeyboardInterrupt:
            self._save()
            raise
        return self.progress

    def _stage(self, span: Span, ends: Collection[int]) -> None:
        """Train one stage; what begins it is made from the network as the stage before left it."""
        started = time.perf_counter()
        self.stages.enter(span, self.progress.epochs, self.watcher.labels)
        if span.labels:
            took = time.perf_counter() - started
            self.progress = replace(self.progress, seconds=self.progress.seconds + took)
        for epochs in ends:
            if self.progress.epochs < epochs < self.trainer.protocol.epochs:
                self._shared_until(epochs)
        self._until(span.last)

    def _shared_until(self, epochs: int) -> None:
        prefix = self.kept.prefix(epochs)
        with wait_lock(prefix.with_suffix(".lock")):
            reached = self._restored(prefix)
            if reached is not None:
                self.progress, self._unsaved = reached, None
            else:
                self._until(epochs)
                self._state().write(prefix)

    def _restored(self, path: Path) -> Progress | None:
        trainer = self.trainer
        return checkpoint.restore(path, trainer.network, trainer.optimizer, trainer.memory)

    def _state(self) -> State:
        trainer = self.trainer
        return State.of(trainer.network, trainer.optimizer, self.progress, trainer.memory)

    def _until(self, epochs: int) -> None:
        while self.progress.epochs < epochs:
            self._epoch()
            if time.perf_counter() - self._saved > SAVE_EVERY:
                self._save()

    def _epoch(self) -> None:
        started, before = time.perf_counter(), self.progress
        curve = self.trainer.epoch(before.epochs)
        self.progress = Progress(
            epochs=before.epochs + 1,
            seconds=before.seconds + time.perf_counter() - started,
            curve=[*before.curve, curve],
            peak_memory_mb=max(before.peak_memory_mb, peak_mb(self.trainer.device)),
        )
        self._unsaved = self._state().copied()
        self.watcher.epoch(self.progress.epochs, self.trainer.protocol.epochs, curve)

    def _save(self) -> None:
        if self._unsaved is not None:
            self._unsaved.write(self.kept.partial)
        self._unsaved, self._saved = None, time.perf_counter()
