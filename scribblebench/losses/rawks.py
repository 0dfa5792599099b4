"""RAWKS: learn what a killed random walk from each pixel would hit (Vernaza and Chandraker, CVPR 2017)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, log_softmax, softplus

from scribblebench.core.cards import NonNegative, Positive
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells, labels_of_cells
from scribblebench.ops.colour import rgb
from scribblebench.ops.killed_walk import walk_labels
from scribblebench.ops.step import Loss, LossValue, Output, Step, at_least_float32
from scribblebench.ops.tree import edge_lengths, joined


@LOSSES.register
class Rawks(Loss, frozen=True):
    """Mean over the unlabelled nodes of ``exp(-uncertainty H(P)) * sum over classes of -P log Q``.

    P is the class that a killed random walk from the node hits first (see ``walk_labels``, arXiv 1802.00470),
    Q the network's prediction, H the entropy. The weight has no gradient: boundaries that are learned would
    rather be vague than right. Strokes outside the crop are not seen by its walks.

    Attributes:
        contrast: of the boundary ``B = contrast * |gradient of RGB in [0, 1]|`` between neighbouring nodes.
        uncertainty: the publication's alpha.
        stride: pixels between nodes, each with the mean colour around it and the class of any stroke there.
        learned: add the softplus of the network's own boundary (``head: boundary``), through which the
            gradient goes.
    """

    contrast: NonNegative = 10.0
    uncertainty: NonNegative = 1.0
    stride: Positive = 4
    learned: bool = False

    def needs(self) -> frozenset[str]:
        """For learned boundaries, a map of them (see ``Loss``)."""
        return frozenset({"boundary"}) if self.learned else frozenset()

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step.

        Raises:
            UserError: the network has no boundaries and ``learned`` asks for them.
        """
        height, width = ((side - 1) // self.stride + 1 for side in step.labels.shape[-2:])
        valid = at_cells(step.valid, height, width)
        labels = labels_of_cells(step.labels, height, width, step.ignore_index)
        free = valid & (labels == step.ignore_index)
        logits = _at_nodes(step.network_logits, height, width)
        seeds = torch.where(labels == step.ignore_index, -1, labels)
        walk = walk_labels(self._boundary(step, valid), seeds, valid, logits.shape[1]).to(logits.dtype)
        cost = -(walk * log_softmax(logits, dim=1)).sum(dim=1)
        entropy = -torch.xlogy(walk.detach(), walk.detach()).sum(dim=1)
        weight = torch.exp(-self.uncertainty * entropy)
        count = free.sum().clamp(min=1)
        return LossValue((weight * cost * free).sum() / count, {"walk_weight": (weight * free).sum() / count})

    def _boundary(self, step: Step, valid: Tensor) -> Tensor:
        """B of every node (batch, height, width)."""
        down, across = edge_lengths(_colours(step, self.stride, valid)) * joined(valid)
        around = down + across
        around[:, 1:] += down[:, :-1]
        around[:, :, 1:] += across[:, :, :-1]
        boundary: Tensor = self.contrast * (around / 2).sqrt()
        if self.learned:
            boundary = boundary + softplus(_at_nodes(_learned(step.output), *valid.shape[-2:]))[:, 0]
        return boundary


def _colours(step: Step, stride: int, valid: Tensor) -> Tensor:
    """Mean RGB around each node, padding left out."""
    around = (2 * (stride // 2) + 1, 1, stride // 2)
    inside = step.valid[:, None].to(step.images.dtype)
    sums, share = avg_pool2d(rgb(step.images) * inside, *around), avg_pool2d(inside, *around)
    return at_cells(sums / share.clamp(min=1e-6), *valid.shape[-2:])


def _at_nodes(maps: Tensor, height: int, width: int) -> Tensor:
    return interpolate(maps, (height, width), mode="bilinear", align_corners=True)


def _learned(output: Output) -> Tensor:
    if "boundary" not in output.features:
        raise UserError(
            "rawks needs a network that finds boundaries: "
            "give the method's network 'head: boundary', or the loss 'learned: false'."
        )
    return at_least_float32(output.features["boundary"])
