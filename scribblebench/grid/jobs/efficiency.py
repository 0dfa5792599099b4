"""Table 5: what each method costs. Needs no dataset: the card alone says how many classes there are."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import ClassVar

import torch

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.grid.asked import Asked
from scribblebench.grid.jobs import JOBS, GridJob
from scribblebench.grid.measure import Measurements, Rows, Task, blank_measurement
from scribblebench.training.efficiency import RULE, measure
from scribblebench.training.provenance import device_name
from scribblebench.training.recipe import recipe


@JOBS.register
class Efficiency(GridJob, frozen=True):
    """Parameters, memory, speed and operations, each method in a fresh process."""

    takes: ClassVar[tuple[str, ...]] = ()

    def plan(self, asked: Asked) -> Measurements:
        """List a measurement for each method (see ``GridJob``)."""
        return Measurements([_task(asked, method) for method in asked.methods], asked.runs)


def _task(asked: Asked, method: MethodCard) -> Task:
    classes, protocol = len(asked.dataset.classes), asked.protocol
    identity = {
        **recipe(method, protocol),
        "classes": classes,
        "device": device_name(asked.device, torch.get_num_threads()),
        "rule": RULE,
    }
    return Task(
        blank_measurement(asked, method, identity),
        lambda: _in_a_fresh_process(method, protocol, classes, str(asked.device)),
    )


def _in_a_fresh_process(method: MethodCard, protocol: ProtocolCard, classes: int, device: str) -> Rows:
    context = multiprocessing.get_context("spawn")  # a forked process inherits memory, and CUDA forbids it
    with ProcessPoolExecutor(1, context) as pool:
        return [pool.submit(measure, method, protocol, classes, device).result()]
