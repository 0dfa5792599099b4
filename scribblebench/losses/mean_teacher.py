"""Consistency with a mean teacher: the network's own moving average (Tarvainen and Valpola 2017)."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class MeanTeacher(Loss, frozen=True):
    """Mean squared difference of class probabilities between the network and its average, on mirrored images.

    Over the cells that lie on an image, and over the classes. The teacher has no gradient.

    Attributes:
        decay: how much of the average stays from one step to the next.
    """

    decay: Annotated[float, Meta(ge=0, lt=1)] = 0.99

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        ours = torch.softmax(step.network_logits, dim=1)
        taught = step.averaged(step.images.flip(-1), self.decay).logits
        if taught is None:
            raise TypeError("a network that was asked for logits gave none")
        theirs = torch.softmax(at_least_float32(taught), dim=1).flip(-1)
        valid = at_cells(step.valid, *ours.shape[-2:])
        return LossValue(_mean((ours - theirs).square().mean(dim=1), valid))


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp(min=1)
