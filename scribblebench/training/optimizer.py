"""Optimisers and learning-rate schedules; both belong to the protocol, never to a method."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn

from scribblebench.core.cards import Optimizer

ONE_CYCLE_RISE = 0.3
ONE_CYCLE_START = 1 / 25


def step(progress: float) -> float:
    """The paper's: a tenth from half of the run on.

    >>> step(0.49), step(0.5)
    (1.0, 0.1)
    """
    return 1.0 if progress < 0.5 else 0.1


def one_cycle(progress: float) -> float:
    """A cosine rise from 1/25 over the first 30 %, then a cosine fall to nothing.

    >>> one_cycle(0.0), one_cycle(0.3)
    (0.04, 1.0)
    """
    if progress < ONE_CYCLE_RISE:
        rise = (1 - math.cos(math.pi * progress / ONE_CYCLE_RISE)) / 2
        return ONE_CYCLE_START + (1 - ONE_CYCLE_START) * rise
    return (1 + math.cos(math.pi * (progress - ONE_CYCLE_RISE) / (1 - ONE_CYCLE_RISE))) / 2


def poly(progress: float) -> float:
    """The usual power of 0.9.

    >>> round(poly(0.5), 4)
    0.5359
    """
    return float((1 - progress) ** 0.9)


SCHEDULES: Mapping[str, Callable[[float], float]] = {"step": step, "one_cycle": one_cycle, "poly": poly}

Groups = list[dict[str, Any]]
OPTIMIZERS: Mapping[str, Callable[[Groups, Optimizer, bool], torch.optim.Optimizer]] = {
    "adam": lambda groups, card, fused: torch.optim.Adam(groups, fused=fused),
    "adamw": lambda groups, card, fused: torch.optim.AdamW(groups, fused=fused),
    "sgd": lambda groups, card, fused: torch.optim.SGD(groups, momentum=card.momentum, fused=fused),
}


def make_optimizer(
    card: Optimizer, backbone: Iterable[nn.Parameter], head: Iterable[nn.Parameter]
) -> torch.optim.Optimizer:
    """Build the optimiser; weight decay spares biases, normalisations and the walk's alpha."""
    groups: Groups = []
    for parameters, lr in ((backbone, card.backbone_lr or card.lr), (head, card.lr)):
        trained = [p for p in parameters if p.requires_grad]
        for decayed in (True, False):
            group = [p for p in trained if (p.ndim > 1) == decayed]
            if group:
                decay = card.weight_decay if decayed else 0.0
                groups.append({"params": group, "lr": lr, "base_lr": lr, "weight_decay": decay})
    fused = groups[0]["params"][0].is_cuda
    return OPTIMIZERS[card.part](groups, card, fused)


def set_rate(optimizer: torch.optim.Optimizer, factor: float) -> None:
    """Set every group's rate to a factor of its own base rate."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * factor
