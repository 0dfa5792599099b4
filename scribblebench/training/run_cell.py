"""One cell from start to record: build, train or resume, evaluate, keep."""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import torch
from torch import Tensor

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.losses import LOSSES
from scribblebench.nn.network import Network, build_network, parameter_counts
from scribblebench.nn.weights import load_weights
from scribblebench.store.confusion import PerImageConfusion, iou, mean_iou
from scribblebench.store.record import Record, confusion_path
from scribblebench.training import checkpoint, provenance
from scribblebench.training.cell import Cell
from scribblebench.training.checkpoint import Progress
from scribblebench.training.data import Places, training_batches, validation
from scribblebench.training.evaluate import evaluate
from scribblebench.training.evaluation_parts import crf_name, make_crf, make_inference
from scribblebench.training.loop import Term, Trainer, autocast
from scribblebench.training.memory import reset_peak
from scribblebench.training.train import Checkpoints, Watcher, train


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
    blank = blank_record(cell, places)
    use_threads(cell, places)
    reset_peak(places.device)
    network = make_network(cell, places)
    kept = Checkpoints(places.runs / "checkpoints", cell)
    progress = checkpoint.restore(kept.final, network)
    if progress is None:
        batches = training_batches(cell, places)
        trainer = Trainer(network, make_terms(cell.method), batches, cell.protocol)
        progress = train(trainer, kept, watcher, boundaries)
    started = time.perf_counter()
    scores = score(cell, network, places, watcher)
    digest = scores.save(confusion_path(places.runs, cell.slug))
    done = _done(blank, scores, progress, network, time.perf_counter() - started)
    return msgspec.structs.replace(done, confusion_sha256=digest)


def use_threads(cell: Cell, places: Places) -> None:
    """Compute with the protocol's threads: on the CPU their number decides how sums are rounded."""
    if places.device.type == "cpu":
        torch.set_num_threads(cell.protocol.threads)


def make_network(cell: Cell, places: Places) -> Network:
    """Build a cell's network with its initial weights, on its device."""
    network = build_network(cell.protocol, cell.method, len(cell.classes), cell.seed)
    load_weights(network.trunk, str(initial_weights(cell.protocol, places.weights) or cell.protocol.weights))
    # Convolutions are 10 to 20 % faster in this layout, on the CPU and on CUDA.
    return network.to(places.device).to(memory_format=torch.channels_last)


def initial_weights(protocol: ProtocolCard, given: Path | None) -> Path | None:
    """Return the file of initial weights: the one given, or the protocol's; None where it names no file."""
    return given or (Path(protocol.weights) if protocol.weights.endswith(".safetensors") else None)


def make_terms(method: MethodCard) -> list[Term]:
    """Build the losses of a method."""
    where = f"method {method.name}"
    return [Term(card, LOSSES.build(card.part, card.options, where)) for card in method.losses]


def score(cell: Cell, network: Network, places: Places, watcher: Watcher) -> PerImageConfusion:
    """Evaluate a network on the validation split as the protocol says."""
    inference, crf, split = make_inference(cell.protocol), make_crf(cell.protocol), validation(places)
    done = 0

    def logits(images: Tensor) -> Tensor:
        with autocast(places.device, cell.protocol.precision):
            output: Tensor = network(images).logits
        return output

    def advance(images: int) -> None:
        nonlocal done
        done += images
        watcher.images(done, len(split.ids))

    network.eval()
    return evaluate(logits, inference, split, cell.protocol.output_stride, advance, crf)


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
        device=provenance.device_name(places.device),
        commit=provenance.commit(),
        command=provenance.command(),
    )


def _done(
    blank: Record, scores: PerImageConfusion, progress: Progress, network: Network, seconds: float
) -> Record:
    miou, ious = _scored(scores)
    miou_crf, ious_crf = (None, []) if scores.crf is None else _scored(scores.crf)
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


def _scored(scores: PerImageConfusion) -> tuple[float, list[float | None]]:
    """Mean IoU, and the IoU of each class, None where it does not occur."""
    total = scores.total()
    return mean_iou(total), [None if math.isnan(value) else value for value in iou(total).tolist()]
