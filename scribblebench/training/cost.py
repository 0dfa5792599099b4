"""What a training will take, from a few of its steps and of its validation images."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from scribblebench.nn.network import build_network, parameter_counts
from scribblebench.training.build import make_terms
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, validation
from scribblebench.training.efficiency import noise
from scribblebench.training.evaluate import evaluate
from scribblebench.training.evaluation_parts import make_crf, make_inference
from scribblebench.training.loop import Trainer, logits_of
from scribblebench.training.memory import peak_mb
from scribblebench.training.run_cell import use_threads

# Seconds for which steps are timed, and images that are scored.
SECONDS, IMAGES = 3.0, 4


class Cost(NamedTuple):
    """What a cell takes.

    Attributes:
        seconds: of training and evaluation; making labels of a stage is not in it.
        memory_mb: at most, of its process, or of its device where it has one; 2^20 bytes.
        parameters: of its network.
    """

    seconds: float
    memory_mb: float
    parameters: int


def probe(cell: Cell, places: Places) -> Cost:
    """Time a few steps in which every loss acts, on noise, and the evaluation of a few images.

    For memory on the CPU the process must be a fresh one.

    Args:
        cell: what is to be trained.
        places: where its data are, and its device.
    """
    use_threads(cell.protocol, places.device)
    network = build_network(cell.protocol, cell.method, len(cell.classes), cell.seed)
    network = network.to(places.device).to(memory_format=torch.channels_last)
    batches = noise(cell.protocol, len(cell.classes), places.device)
    trainer = Trainer(network, make_terms(cell.method), batches, cell.protocol)
    network.train()
    # At the very end of a run even a loss that sets in late acts.
    step = _seconds(lambda: trainer.step(next(batches.epoch(0)), cell.protocol.epochs, 0), places.device)
    train, val = (len(places.dataset.ids(split)) for split in ("train", "val"))
    steps = cell.protocol.epochs * (train // cell.protocol.batch)
    image, pixels = _evaluated(cell, places, trainer)
    decoded = (train + val) * pixels * 4 / 2**20  # three colours and a label
    memory = peak_mb(places.device) + (decoded if places.device.type == "cpu" else 0)
    return Cost(steps * step + val * image, memory, parameters(cell))


def parameters(cell: Cell) -> int:
    """Count the parameters of a cell's network."""
    network = build_network(cell.protocol, cell.method, len(cell.classes), cell.seed)
    return sum(parameter_counts(network).values())


def _evaluated(cell: Cell, places: Places, trainer: Trainer) -> tuple[float, float]:
    """Return seconds and pixels of a validation image."""
    split = validation(places, sorted(places.dataset.ids("val"))[:IMAGES])
    network = trainer.network.eval()
    logits = logits_of(network, cell.protocol.precision)
    inference, crf = make_inference(cell.protocol), make_crf(cell.protocol)
    started = time.perf_counter()
    evaluate(logits, inference, split, cell.protocol.output_stride, crf=crf)
    seconds = time.perf_counter() - started
    sizes = split.images.sizes.double()
    return seconds / len(split.ids), float((sizes[:, 0] * sizes[:, 1]).mean())


def _seconds(action: Callable[[], object], device: torch.device) -> float:
    action()  # the first call allocates, and picks algorithms
    times: list[float] = []
    while sum(times) < SECONDS:
        started = time.perf_counter()
        action()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - started)
    return statistics.median(times)
