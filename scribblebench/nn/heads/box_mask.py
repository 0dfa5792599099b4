"""Logits under a mask of each class that learns where its boxes are (Song et al., CVPR 2019: BCM)."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead
from scribblebench.nn.initial import seeded
from scribblebench.ops.step import Output


@HEADS.register
class BoxMask(Head, frozen=True, kw_only=True):
    """``plain``, its logits times the sigmoid of one more 1 x 1 convolution, in training and afterwards.

    As in the authors' code the mask multiplies logits, so that it draws them to 0 where it closes.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"box_mask"})

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return BoxMaskHead(spec)


class BoxMaskHead(PlainHead):
    """Features to masked logits and, in training, to the mask before its sigmoid.

    What it shares with ``plain`` is drawn first: at equal seeds both start from the same weights.
    """

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__(spec)
        with seeded("box_mask", spec.seed):
            self.mask = nn.Conv2d(spec.width, spec.classes, kernel_size=1)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute what ``plain`` does, its logits masked, and the mask for losses."""
        output = super().forward(features, until)
        if output.logits is None:
            return output
        mask = self.mask(output.before)
        given = {"box_mask": mask} if self.training else {}
        return dataclasses.replace(output, logits=output.logits * mask.sigmoid(), features=given)
