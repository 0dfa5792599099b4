"""``classifier`` with attention to the image and, in training, to others (CIAN, Fan et al., AAAI 2020)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.classifier import ClassifierHead
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output


@HEADS.register
class CrossImage(Head, frozen=True):
    """Attention over an image's own cells, and in training over those of the next images of the batch.

    Predictions are those of the image's own attention. The other attention is the larger, channel by channel,
    of its own and the other image's.

    Attributes:
        partners: images of the batch that each looks at in turn; losses take what shares a class with it.
        start: how much of what attention finds is added at first; learned from there, by channel.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"activations", "cross"})

    partners: Positive = 3
    start: float = 0.0

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return CrossImageHead(spec, self.partners, self.start)


class CrossImageHead(ClassifierHead):
    """Class maps of the representation, and logits of what attention adds to it.

    In training ``features["cross"]`` holds the logits of each partner in turn, as
    (batch, partners * classes, h, w); the i-th partner is the i-th image behind it in the batch, which has no
    end.
    """

    def __init__(self, spec: HeadSpec, partners: int, start: float) -> None:
        super().__init__(spec)
        self.partners = partners
        with seeded("cross_image", spec.seed):
            self.attention = Attention(spec.width, start)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute logits with the image's own attention, class maps and, in training, those of partners."""
        before = self.reduction(features)
        if until == "energies":
            return Output(before)
        queries, keys, values = self.attention.factors(before)
        own = self.attention.found(queries, keys, values)
        after = before + own
        if until == "after":
            return Output(before, after=after)
        output = Output(before, after=after, logits=self.classify(after), features=self.further(before))
        if not self.training:
            return output
        others = [
            self.attention.found(queries, keys.roll(-shift, 0), values.roll(-shift, 0))
            for shift in range(1, self.partners + 1)
        ]
        cross = [self.classify(before + torch.maximum(own, other)) for other in others]
        return dataclasses.replace(output, features={**output.features, "cross": torch.cat(cross, dim=1)})


class Attention(nn.Module):
    """Dot-product attention without scale; keys and values are maxima of 3 x 3 cells, two cells apart."""

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.query, self.key, self.value = (nn.Conv2d(channels, inner, 1, bias=False) for _ in range(3))
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm.weight, start)

    def factors(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries at every cell, and keys and values at every other, (batch, inner, h, w) each."""
        key, value = (max_pool2d(part(maps), 3, 2, 1) for part in (self.key, self.value))
        return self.query(maps), key, value

    def found(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Return what the queries find, (batch, channels, h, w)."""
        share = (queries.flatten(2).mT @ keys.flatten(2)).softmax(dim=-1)
        mixed = (values.flatten(2) @ share.to(values.dtype).mT).view(len(queries), -1, *queries.shape[-2:])
        answer: Tensor = self.norm(self.out(mixed))
        return answer
