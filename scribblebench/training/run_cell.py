"""One cell from start to record: build, train or resume, evaluate, keep."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import UTC, datetime

import msgspec
import numpy as np
import torch

from scribblebench.core.cards import ProtocolCard
from scribblebench.nn.network import Network, parameter_counts
from scribblebench.store.confusion import PerImageConfusion, class_scores, read_confusion
from scribblebench.store.record import Record, confusion_path
from scribblebench.training import checkpoint, provenance
from scribblebench.training.build import make_network
from scribblebench.training.cell import Cell
from scribblebench.training.checkpoint import Progress
from scribblebench.training.data import Places, validation
from scribblebench.training.evaluate import evaluate
from scribblebench.training.evaluation_parts import crf_name, make_crf, make_inference
from scribblebench.training.looks import trained_network
from scribblebench.training.loop import logits_of
from scribblebench.training.memory import reset_peak
from scribblebench.training.predictions import keeping
from scribblebench.training.stages import Stages
from scribblebench.training.train import Checkpoints, Watcher, train

_log = logging.getLogger(__name__)


def run_cell(cell: Cell, places: Places, watcher: Watcher, boundaries: Collection[int] = ()) -> Record:
    """Train a cell, or find its weights, evaluate it, and return its record.

    Args:
        cell: what to do.
        places: where things are.
        watcher: is told of progress.
        boundaries: epochs at which other cells of the grid part from this one.

    Raises:
        UserError: something the user gave cannot work, or the loss is no longer finite.
    """
    use_threads(cell.protocol, places.device)
    blank = blank_record(cell, places)
    reset_peak(places.device)
    network = make_network(cell, places)
    kept = Checkpoints(places.runs / "checkpoints", cell)
    progress = checkpoint.restore(kept.final, network)
    if progress is None:
        progress = train(Stages(cell, places, network), kept, watcher, boundaries)
    started = time.perf_counter()
    scores = score(cell, network, places, watcher)
    digest = scores.save(confusion_path(places.runs, cell.slug))
    done = _done(blank, scores, progress, network, time.perf_counter() - started)
    return msgspec.structs.replace(done, confusion_sha256=digest)


def use_threads(protocol: ProtocolCard, device: torch.device) -> None:
    """Compute with the protocol's threads: on the CPU their number decides how sums are rounded."""
    if device.type == "cpu":
        torch.set_num_threads(protocol.threads)


def score(cell: Cell, network: Network, places: Places, watcher: Watcher) -> PerImageConfusion:
    """Evaluate a network on the validation split as the protocol says; predictions are kept if asked for."""
    inference, crf, split = make_inference(cell.protocol), make_crf(cell.protocol), validation(places)
    done = 0

    def advance(images: int) -> None:
        nonlocal done
        done += images
        watcher.images(done, len(split.ids))

    network.eval()
    logits = logits_of(network, cell.protocol.precision)
    with keeping(cell, places) as keep:
        return evaluate(logits, inference, split, cell.protocol.output_stride, advance, crf, keep)


def predict_again(cell: Cell, places: Places, watcher: Watcher, record: Record) -> None:
    """Evaluate a cell that is done once more, from its weights, so that its predictions are kept.

    Args:
        cell: the cell.
        places: where things are.
        watcher: is told of progress.
        record: the cell's own, which stays as it is.

    Raises:
        UserError: its weights are not here any more, or the predictions cannot be written.
    """
    use_threads(cell.protocol, places.device)
    scores = score(cell, trained_network(cell, places), places, watcher)
    if not np.array_equal(scores.matrices, read_confusion(places.runs, record).matrices):
        _log.warning(
            "%s: some predictions differ from those that its record counts: another device, or torch.",
            cell.slug,
        )


def blank_record(cell: Cell, places: Places) -> Record:
    """Return the record of a cell that has just been started."""
    return Record(
        cell=cell.id,
        slug=cell.slug,
        status="running",
        method=cell.method.name,
        method_title=cell.method.title,
        dataset=cell.dataset,
        protocol=cell.protocol.name,
        kind=cell.kind,
        rate=cell.rate,
        seed=cell.seed,
        variant_seed=cell.variant.seed,
        overrides=cell.overrides,
        identity=cell.identity,
        training_id=cell.training_id,
        classes=cell.classes,
        crf=crf_name(cell.protocol),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        warnings=cell.warnings,
        threads=cell.protocol.threads if places.device.type == "cpu" else 0,
        versions=provenance.versions(),
        device=provenance.device_name(places.device, cell.protocol.threads),
        commit=provenance.commit(),
        command=provenance.command(),
    )


def _done(
    blank: Record, scores: PerImageConfusion, progress: Progress, network: Network, seconds: float
) -> Record:
    miou, ious = class_scores(scores.total())
    miou_crf, ious_crf = (None, []) if scores.crf is None else class_scores(scores.crf.total())
    counts = parameter_counts(network)
    return msgspec.structs.replace(
        blank,
        status="done",
        miou=miou,
        iou=ious,
        miou_crf=miou_crf,
        iou_crf=ious_crf,
        curve=progress.curve,
        epochs=progress.epochs,
        seconds=progress.seconds + seconds,
        peak_memory_mb=progress.peak_memory_mb,
        parameters={**counts, "total": sum(counts.values())},
    )
