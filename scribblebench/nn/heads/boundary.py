"""``plain`` with a boundary map beside the classifier, for walks that should not cross boundaries."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead, conv_bn_relu
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output

# The softplus of this is nearly nothing: walks come far until boundaries are learned.
_FEW = -4.0


@HEADS.register
class Boundary(Head, frozen=True):
    """A 3 x 3 convolution, BatchNorm, ReLU and a 1 x 1 convolution to one channel, of any sign.

    It exists in training only; predictions are those of ``plain``.

    Attributes:
        width: channels between the two convolutions.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"boundary"})

    width: Positive = 64

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return BoundaryHead(spec, self.width)


class BoundaryHead(PlainHead):
    """Features to representation to logits and, as ``features["boundary"]``, to a map of boundaries.

    What it shares with ``plain`` is drawn first: at equal seeds both start from the same weights.
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec)
        with seeded("boundary", spec.seed):
            self.boundary = nn.Sequential(conv_bn_relu(spec.width, width, 3), nn.Conv2d(width, 1, 1))

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute what ``plain`` does, and the boundaries."""
        output = super().forward(features, until)
        if until != "logits" or not self.training:
            return output
        return dataclasses.replace(output, features={"boundary": self.boundary(output.before) + _FEW})
