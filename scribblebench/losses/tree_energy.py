"""The tree energy loss: predictions should equal their own tree-filtered mean (Liang et al. 2022)."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.core.cards import Positive
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells
from scribblebench.ops.colour import rgb
from scribblebench.ops.step import Loss, LossValue, Output, Step, at_least_float32
from scribblebench.ops.tree import tree_filter


@LOSSES.register
class TreeEnergy(Loss, frozen=True):
    """Mean over the unlabelled nodes of ``|p - y|_1``, y being p filtered along two spanning trees in turn.

    The first tree is that of the image's RGB in [0, 1], the second that of the network's embedding (``head:
    embedding``). As in the authors' code y is not detached: the gradient goes to p through both filters, and
    to the embedding through its affinities. Unlike there, padding is in no tree.

    Attributes:
        sigma: of the image's affinities ``exp(-|c_i - c_j|^2 / sigma)``; the embedding's have none.
        stride: pixels between nodes; logits, embedding and image are read there. 4 is the authors' output.
        high_level: filter by the embedding's tree too.
    """

    sigma: Annotated[float, Meta(gt=0)] = 0.02
    stride: Positive = 4
    high_level: bool = True

    def needs(self) -> frozenset[str]:
        """For the second tree, an embedding (see ``Loss``)."""
        return frozenset({"embedding"}) if self.high_level else frozenset()

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step.

        Raises:
            UserError: the network has no embedding and ``high_level`` asks for it.
        """
        height, width = ((side - 1) // self.stride + 1 for side in step.labels.shape[-2:])
        valid = at_cells(step.valid, height, width)
        unlabelled = valid & (at_cells(step.labels, height, width) == step.ignore_index)
        probabilities = torch.softmax(_at_nodes(step.network_logits, height, width), dim=1)
        colours = at_cells(rgb(step.images), height, width)
        filtered = tree_filter(probabilities, colours, valid, self.sigma)
        if self.high_level:
            filtered = tree_filter(filtered, _at_nodes(_embedding(step.output), height, width), valid)
        difference = (probabilities - filtered).abs().sum(dim=1)
        return LossValue((difference * unlabelled).sum() / unlabelled.sum().clamp(min=1))


def _at_nodes(maps: Tensor, height: int, width: int) -> Tensor:
    return interpolate(maps, (height, width), mode="bilinear", align_corners=True)


def _embedding(output: Output) -> Tensor:
    if "embedding" not in output.features:
        raise UserError(
            "tree_energy needs a network that embeds its cells: "
            "give the method's network 'head: embedding', or the loss 'high_level: false'."
        )
    return at_least_float32(output.features["embedding"])
