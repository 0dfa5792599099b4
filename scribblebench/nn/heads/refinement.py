"""A prediction, a boundary map and a second prediction that has seen the first."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead, conv_bn_relu
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output


@HEADS.register
class Refinement(Head, frozen=True, kw_only=True):
    """Two steps of prediction and a boundary branch, inspired by the abstract of BPG (Wang et al. 2019).

    ``plain`` gives the coarse logits. The representation and the coarse probabilities, joined, go through a
    3 x 3 convolution with BatchNorm and ReLU, dropout and a 1 x 1 classifier to what is added to the coarse
    logits. The boundary branch, a 3 x 3 convolution with BatchNorm and ReLU and a 1 x 1 convolution, exists
    in training only. All maps are on the trunk's grid: the publication's iterative upsampling is left out.

    Attributes:
        boundary_width: channels of the boundary branch.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"coarse", "boundary"})

    boundary_width: Positive = 32

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return RefinementHead(spec, self.boundary_width)


class RefinementHead(PlainHead):
    """Features to coarse logits, to logits and, in training, to a boundary map.

    What it shares with ``plain`` is drawn first: at equal seeds both start from the same weights.
    """

    def __init__(self, spec: HeadSpec, boundary_width: int) -> None:
        super().__init__(spec)
        with seeded("refinement", spec.seed):
            self.enhance = conv_bn_relu(spec.width + spec.classes, spec.width, 3)
            self.correct = nn.Conv2d(spec.width, spec.classes, kernel_size=1)
            self.boundary = nn.Sequential(
                conv_bn_relu(spec.width, boundary_width, 3), nn.Conv2d(boundary_width, 1, kernel_size=1)
            )

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute what ``plain`` does, the refined logits and, in training, the features for losses."""
        output = super().forward(features, until)
        if output.logits is None:
            return output
        joined = torch.cat([output.before, output.logits.softmax(dim=1)], dim=1)
        refined = output.logits + self.correct(self.dropout(self.enhance(joined)))
        given = {"coarse": output.logits, "boundary": self.boundary(output.before)} if self.training else {}
        return dataclasses.replace(output, logits=refined, features=given)
