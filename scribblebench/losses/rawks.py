"""RAWKS: learn what a killed random walk from each pixel would hit (Vernaza and Chandraker, CVPR 2017)."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, log_softmax, softplus

from scribblebench.core.cards import NonNegative, Positive, Share
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells, labels_of_cells
from scribblebench.ops.colour import rgb
from scribblebench.ops.killed_walk import given_survival, hits
from scribblebench.ops.step import Loss, LossValue, Output, Step, at_least_float32
from scribblebench.ops.tree import edge_lengths, joined

Above = Annotated[float, Meta(gt=0)]


@LOSSES.register
class Rawks(Loss, frozen=True):
    """Mean over unlabelled nodes of ``exp(-uncertainty H(P)) * sum over classes of -P log Q``.

    P is the class that a killed random walk from the node hits first (see ``hits``, arXiv 1802.00470),
    Q the network's prediction, H the entropy. The weight has no gradient: boundaries that are learned would
    rather be vague than right. Strokes outside the crop are not seen by its walks.

    Attributes:
        contrast: the gradient of RGB in [0, 1], from node to node, that all but 1 in e walks die of.
        sharpness: how steeply: the boundary is ``B = (gradient / contrast) ** sharpness``. A walk takes so
            many steps that what texture adds to B decides more than a boundary does, unless it is next to 0.
        uncertainty: the publication's alpha.
        survival: nodes from which no greater share of the walks arrives are left out. The publication has no
            such rule: a distribution given survival says nothing of how few survive.
        stride: pixels between nodes, each with the mean colour around it and the class of any stroke there.
        learned: add the softplus of the network's own boundary (``head: boundary``), through which the
            gradient goes.
    """

    contrast: Above = 0.15
    sharpness: Above = 4.0
    uncertainty: NonNegative = 1.0
    survival: Share = 0.0
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
        walk, taught = self.walk(step)
        logits = _at_nodes(step.network_logits, *taught.shape[-2:])
        cost = -(walk * log_softmax(logits, dim=1)).sum(dim=1)
        entropy = -torch.xlogy(walk.detach(), walk.detach()).sum(dim=1)
        weight = torch.exp(-self.uncertainty * entropy)
        count = taught.sum().clamp(min=1)
        certainty = (weight * taught).sum() / count
        return LossValue((weight * cost * taught).sum() / count, {"walk_weight": certainty})

    def walk(self, step: Step) -> tuple[Tensor, Tensor]:
        """Let walks run from every node.

        Returns:
            P, in the type of the logits (batch, classes, height, width), and which nodes it teaches: no
            strokes, no padding, none that too few walks arrive from, bool (batch, height, width).
        """
        height, width = ((side - 1) // self.stride + 1 for side in step.labels.shape[-2:])
        valid = at_cells(step.valid, height, width)
        labels = labels_of_cells(step.labels, height, width, step.ignore_index)
        unlabelled, logits = labels == step.ignore_index, step.network_logits
        seeds = torch.where(unlabelled, -1, labels)
        found = hits(self._boundary(step, valid), seeds, valid, logits.shape[1])
        # Nothing arrives in padding.
        taught = unlabelled & (found.detach().sum(dim=1) > self.survival)
        return given_survival(found).to(logits.dtype), taught

    def _boundary(self, step: Step, valid: Tensor) -> Tensor:
        """B of every node (batch, height, width)."""
        down, across = edge_lengths(_colours(step, self.stride, valid)) * joined(valid)
        around = down + across
        around[:, 1:] += down[:, :-1]
        around[:, :, 1:] += across[:, :, :-1]
        boundary: Tensor = (around / (2 * self.contrast**2)) ** (self.sharpness / 2)
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
