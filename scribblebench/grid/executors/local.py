"""Cells on this machine: on the cores of its processor, or on all of its CUDA devices."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import torch
from msgspec import Meta

from scribblebench.grid.attempt import Ended, Job
from scribblebench.grid.display import Display
from scribblebench.grid.executors import EXECUTORS, Executor
from scribblebench.grid.processes import in_processes
from scribblebench.store.plan import Plan

# Cells at once on processors where nobody says how many: more would outgrow the memory of a small machine.
MOST_JOBS = 4


@EXECUTORS.register
class Local(Executor, frozen=True):
    """Processes of this machine, each on one card where there are some.

    Attributes:
        jobs: cells at once; 0 for a core each, at most 4, or for as many as the cards take.
        per_device: cells at once on a CUDA device.
    """

    jobs: Annotated[int, Meta(ge=0)] = 0
    per_device: Annotated[int, Meta(ge=1)] = 1

    def at_once(self, cells: int, device: torch.device) -> int:
        """Count the slots, or the cells where those are fewer."""
        return max(1, min(len(self.slots(device)), cells))

    def run(self, jobs: Sequence[Job], plan: Plan, display: Display) -> list[Ended]:
        """Run cells in processes, one a slot (see ``Executor``)."""
        del plan
        device = jobs[0].places.device
        slots = self.slots(device)[: len(jobs)]
        if slots[0]:  # each process sees one card, which is the first for it
            own = torch.device("cuda", 0)
            jobs = [replace(job, places=replace(job.places, device=own)) for job in jobs]
        return in_processes(jobs, slots, display)

    def slots(self, device: torch.device) -> list[str]:
        """List the places for cells: for each the card that it sees, or nothing on processors.

        Of a device without a number all cards in reach are meant. Neighbours are on different cards.
        """
        if device.type != "cuda":
            return [""] * (self.jobs or min(os.cpu_count() or 1, MOST_JOBS))
        seen = cards() if device.index is None else [cards()[device.index]]
        return (seen * self.per_device)[: self.jobs or None]


def cards() -> list[str]:
    """List the CUDA devices in reach, as CUDA_VISIBLE_DEVICES names them."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip()]
    return [str(index) for index in range(torch.cuda.device_count())]
