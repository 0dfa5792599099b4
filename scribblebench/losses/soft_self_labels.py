"""Soft self-labelling: train on soft labels that the strokes, the image and the predictions suggest."""

from __future__ import annotations

import torch
from torch import Tensor

from scribblebench.core.cards import NonNegative, Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.blocks import first_of_blocks, label_of_blocks, mean_of_blocks
from scribblebench.ops.colour import rgb
from scribblebench.ops.soft_labels import EPSILON, Contrast, SoftLabels, contrast
from scribblebench.ops.step import Loss, LossValue, Step


@LOSSES.register
class SoftSelfLabels(Loss, frozen=True):
    """Mean collision cross-entropy ``-ln(s . y)`` of predictions s to soft labels y on unlabelled pixels.

    y is made anew for each batch, from its predictions: it lowers the collision cross-entropy to them and the
    collision divergence between 4-neighbours (Zhang and Boykov 2025; see ``SoftLabels``), with the strokes'
    labels fixed. It has no gradient.

    Attributes:
        smoothness: weight of the divergence against the cross-entropy, the paper's lambda / eta = 6 / 0.3.
        steps: of the descent to y.
        block: side of the blocks of pixels that have one prediction and one label between them.
    """

    smoothness: NonNegative = 20.0
    steps: Positive = 30
    block: Positive = 1

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        predictions = mean_of_blocks(torch.softmax(step.logits, dim=1), self.block)
        valid = first_of_blocks(step.valid, self.block)
        labels = label_of_blocks(step.labels, self.block, predictions.shape[1], step.ignore_index)
        fixed = labels != step.ignore_index
        colours = mean_of_blocks(rgb(step.images), self.block).to(predictions.dtype)
        edges = contrast(colours, valid)
        given = (predictions.detach(), fixed[:, None], labels[:, None], *edges)
        soft = torch.cat(
            [self._soften(*image) for image in zip(*(torch.split(part, 1) for part in given), strict=True)]
        )
        cost = -torch.log((predictions * soft).sum(dim=1).clamp(min=EPSILON))
        free = valid & ~fixed
        count = free.sum().clamp(min=1)
        certainty = (soft.amax(dim=1) * free).sum() / count
        return LossValue((cost * free).sum() / count, {"label_certainty": certainty})

    def _soften(self, predictions: Tensor, fixed: Tensor, classes: Tensor, *edges: Tensor) -> Tensor:
        """Make the labels of one image: one at a time, the descent's maps stay in a CPU's cache."""
        return SoftLabels(predictions, fixed, classes, Contrast(*edges), self.smoothness).descend(self.steps)
