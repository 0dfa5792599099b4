"""``plain`` with an embedding of every cell beside the classifier, for losses that compare cells."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead, conv_bn_relu
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output


@HEADS.register
class Embedding(Head, frozen=True):
    """The extra branch of the tree energy loss (Liang et al. 2022): 1 x 1 convolution, BatchNorm and ReLU.

    It exists in training only; predictions are those of ``plain``.

    Attributes:
        width: channels of the embedding, the authors' 256.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"embedding"})

    width: Positive = 256

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return EmbeddingHead(spec, self.width)


class EmbeddingHead(PlainHead):
    """Features to representation to logits and, as ``features["embedding"]``, to an embedding.

    What it shares with ``plain`` is drawn first: at equal seeds both start from the same weights.
    """

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec)
        with seeded("embedding", spec.seed):
            self.embedding = conv_bn_relu(spec.width, width, 1)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute what ``plain`` does, and the embedding."""
        output = super().forward(features, until)
        if until != "logits" or not self.training:
            return output
        return dataclasses.replace(output, features={"embedding": self.embedding(output.before)})
