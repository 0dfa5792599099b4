"""``plain`` with a classifier of images beside it: class activation maps for stages that learn from tags."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output


@HEADS.register
class Classifier(Head, frozen=True):
    """A 1 x 1 convolution without bias on the representation, one map a class but the background.

    The mean of a map is the image's score for the class, the map itself its class activation map (Zhou et al.
    2016). Predictions are those of ``plain``.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"activations"})

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return ClassifierHead(spec)


class ClassifierHead(PlainHead):
    """Features to representation to logits and, as ``features["activations"]``, to class maps.

    What it shares with ``plain`` is drawn first: at equal seeds both start from the same weights.
    """

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__(spec)
        with seeded("activations", spec.seed):
            self.activations = nn.Conv2d(spec.width, spec.classes - 1, 1, bias=False)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute what ``plain`` does, and the class maps."""
        output = super().forward(features, until)
        if until != "logits":
            return output
        return dataclasses.replace(output, features=self.further(output.before))

    def further(self, before: Tensor) -> dict[str, Tensor]:
        """Return what the head gives besides logits."""
        return {"activations": self.activations(self.dropout(before))}
