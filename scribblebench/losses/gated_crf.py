"""The gated CRF loss: neighbours of like colour should agree (Obukhov et al. 2019, arXiv 1906.04651)."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch.nn.functional import adaptive_avg_pool2d

from scribblebench.core.cards import Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.step import Loss, LossValue, Step
from scribblebench.ops.window import GaussianWindow


@LOSSES.register
class GatedCrf(Loss, frozen=True):
    """Potts energy of a truncated Gaussian kernel over place and colour, per pixel of a coarse grid.

    ``sum_ij K_ij (1 - p_i . p_j) / n`` over the pairs i != j of a square window, where
    ``K_ij = exp(-|x_i - x_j|^2 / 2 xy^2 - |c_i - c_j|^2 / 2 rgb^2)`` and c is the normalised image. Image and
    class probabilities are means over the grid's areas; n counts the areas without padding, and pairs with
    an end in padding do not count. The defaults are the authors'.

    Attributes:
        xy: standard deviation over place, in cells of the grid.
        rgb: standard deviation over colour, in those of the normalised image.
        radius: the window holds ``2 radius + 1`` cells a side.
        grid: cells a side; a smaller image is taken pixel by pixel.
    """

    xy: Annotated[float, Meta(gt=0)] = 6.0
    rgb: Annotated[float, Meta(gt=0)] = 0.1
    radius: Positive = 5
    grid: Positive = 64

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        height, width = step.images.shape[-2:]
        size = (min(height, self.grid), min(width, self.grid))
        colours = adaptive_avg_pool2d(step.images, size) / self.rgb
        whole = adaptive_avg_pool2d(step.valid.to(colours.dtype), size) == 1
        probabilities = adaptive_avg_pool2d(torch.softmax(step.logits, dim=1), size)
        window = GaussianWindow(colours, whole, self.radius, self.xy)
        return LossValue(window.disagreement(probabilities) / whole.sum().clamp(min=1))
