"""What the masks of a network learn from boxes (Song et al., CVPR 2019: box-driven class-wise masking)."""

from __future__ import annotations

import torch
from torch import Tensor

from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32

# The authors' code asks for this much of a mask outside of its boxes.
_OUTSIDE = 0.5


@LOSSES.register
class BoxMask(Loss, frozen=True):
    """Mean squared distance of each class's mask to 1 inside of its boxes, and to 1/2 elsewhere.

    The background's mask, and every mask where nothing is told, is to be 1. Boxes are the label map that the
    method is told, the smaller in front, whatever labels its stage has.
    """

    def needs(self) -> frozenset[str]:
        """A network with masks (see ``Loss``)."""
        return frozenset({"box_mask"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        masks = at_least_float32(step.output.features["box_mask"])
        told = at_cells(step.told, *masks.shape[-2:])
        wanted = targets(told, masks.shape[1], step.ignore_index).to(masks.dtype)
        return LossValue((masks.sigmoid() - wanted).square().mean())


def targets(told: Tensor, classes: int, ignore_index: int) -> Tensor:
    """Return what each class's mask is to be, float32 (batch, classes, h, w).

    >>> targets(torch.tensor([[[0, 2, 255]]]), 3, 255)[0, :, 0]
    tensor([[1.0000, 1.0000, 1.0000],
            [0.5000, 0.5000, 1.0000],
            [0.5000, 1.0000, 1.0000]])
    """
    index = torch.arange(classes, device=told.device)[:, None, None]
    inside = (told[:, None] == index) | (told[:, None] == ignore_index) | (index == 0)
    return torch.where(inside, 1.0, _OUTSIDE)
