"""From initial to final weights: epochs, checkpoints, and stages shared between methods."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from scribblebench.store.lock import wait_lock
from scribblebench.training import checkpoint
from scribblebench.training.cell import Cell
from scribblebench.training.checkpoint import Progress, State
from scribblebench.training.loop import Trainer
from scribblebench.training.memory import peak_mb

# A killed run loses at most this many seconds and the epoch it was in; an interrupted one the epoch alone.
SAVE_EVERY = 30.0


class Watcher(Protocol):
    """Is told how far a cell has come."""

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        """Hear that an epoch is over."""

    def images(self, done: int, total: int) -> None:
        """Hear how many validation images are scored."""


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
        return self.folder / f"{self.cell.training_id}.safetensors"

    @property
    def partial(self) -> Path:
        """State of a run that is under way."""
        return self.folder / f"{self.cell.training_id}.partial.safetensors"

    def stage(self, epochs: int) -> Path:
        """State after some epochs, shared by every run that is the same up to there."""
        return self.folder / f"stage-{self.cell.stage_id(epochs)}.safetensors"


def train(trainer: Trainer, kept: Checkpoints, watcher: Watcher, boundaries: Collection[int]) -> Progress:
    """Train to the last epoch, from the furthest state there is.

    Cells that differ in their evaluation alone share the training: the first to come does it. A checkpoint
    that is damaged is set aside. An interrupt keeps the state after the last whole epoch.

    Args:
        trainer: network, optimiser, data.
        kept: where the states are.
        watcher: is told of every epoch.
        boundaries: epochs at which other runs part from this one; the state there is kept for them. The
            first to come trains up to there, the others wait and carry on from its state.

    Raises:
        NoSpaceError: the checkpoints have no room.
        UserError: the loss or a weight is no longer finite.
    """
    with wait_lock(kept.final.with_suffix(".lock")):
        progress = checkpoint.restore(kept.final, trainer.network)
        if progress is None:
            checkpoint.require_room(kept.folder, trainer.network)
            progress = _Run(trainer, kept, watcher).to_the_end(boundaries)
            checkpoint.save(kept.final, trainer.network, None, progress)
            kept.partial.unlink(missing_ok=True)
    return progress


class _Run:
    """A training under way, and the last state it can be resumed from."""

    def __init__(self, trainer: Trainer, kept: Checkpoints, watcher: Watcher) -> None:
        self.trainer = trainer
        self.kept = kept
        self.watcher = watcher
        self.progress = self._restored(kept.partial) or Progress(0, 0.0, [])
        self._unsaved: State | None = None
        self._saved = time.perf_counter()

    def to_the_end(self, boundaries: Collection[int]) -> Progress:
        """Train to the last epoch; an interrupt leaves the partial state."""
        last = self.trainer.protocol.epochs
        try:
            for epochs in sorted({*boundaries, *self.kept.cell.boundaries()}):
                if self.progress.epochs < epochs < last:
                    self._shared_until(epochs)
            self._until(last)
        except KeyboardInterrupt:
            self._save()
            raise
        return self.progress

    def _shared_until(self, epochs: int) -> None:
        stage = self.kept.stage(epochs)
        with wait_lock(stage.with_suffix(".lock")):
            reached = self._restored(stage)
            if reached is not None:
                self.progress, self._unsaved = reached, None
            else:
                self._until(epochs)
                checkpoint.save(stage, self.trainer.network, self.trainer.optimizer, self.progress)

    def _restored(self, path: Path) -> Progress | None:
        return checkpoint.restore(path, self.trainer.network, self.trainer.optimizer)

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
        self._unsaved = State.of(self.trainer.network, self.trainer.optimizer, self.progress).copied()
        self.watcher.epoch(self.progress.epochs, self.trainer.protocol.epochs, curve)

    def _save(self) -> None:
        if self._unsaved is not None:
            self._unsaved.write(self.kept.partial)
        self._unsaved, self._saved = None, time.perf_counter()
