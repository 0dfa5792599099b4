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
from scribblebench.training.checkpoint import Progress
from scribblebench.training.loop import Trainer
from scribblebench.training.memory import peak_mb

# An interrupted run loses at most this many seconds and the epoch it was in.
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

    Args:
        trainer: network, optimiser, data.
        kept: where the states are.
        watcher: is told of every epoch.
        boundaries: epochs at which other runs part from this one; the state there is kept for them. The
            first to come trains up to there, the others wait and carry on from its state.

    Raises:
        UserError: the loss is no longer finite, or a checkpoint is damaged.
    """
    progress = Progress(0, 0.0, [])
    if kept.partial.exists():
        progress = checkpoint.load(kept.partial, trainer.network, trainer.optimizer)
    for epochs in sorted({*boundaries, *kept.cell.boundaries()}):
        if progress.epochs < epochs < trainer.protocol.epochs:
            stage = kept.stage(epochs)
            with wait_lock(stage.with_suffix(".lock")):
                if stage.exists():
                    progress = checkpoint.load(stage, trainer.network, trainer.optimizer)
                else:
                    progress = _until(epochs, progress, trainer, kept, watcher)
                    checkpoint.save(stage, trainer.network, trainer.optimizer, progress)
    progress = _until(trainer.protocol.epochs, progress, trainer, kept, watcher)
    checkpoint.save(kept.final, trainer.network, None, progress)
    kept.partial.unlink(missing_ok=True)
    return progress


def _until(
    epochs: int, progress: Progress, trainer: Trainer, kept: Checkpoints, watcher: Watcher
) -> Progress:
    saved = time.perf_counter()
    while progress.epochs < epochs:
        started = time.perf_counter()
        curve = trainer.epoch(progress.epochs)
        progress = Progress(
            epochs=progress.epochs + 1,
            seconds=progress.seconds + time.perf_counter() - started,
            curve=[*progress.curve, curve],
            peak_memory_mb=max(progress.peak_memory_mb, peak_mb(trainer.device)),
        )
        watcher.epoch(progress.epochs, trainer.protocol.epochs, curve)
        if time.perf_counter() - saved > SAVE_EVERY:
            checkpoint.save(kept.partial, trainer.network, trainer.optimizer, progress)
            saved = time.perf_counter()
    return progress
