"""The embedded random walk (paper, Eq. 2, 4, 5)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead, conv_bn_relu
from scribblebench.nn.initial import seeded
from scribblebench.nn.walk import Walk, coarse_cells
from scribblebench.ops.step import Output


@HEADS.register
class RandomWalk(Head, frozen=True):
    """``plain`` with the walk between the representation and the classifier.

    Attributes:
        similarity: ``embedded``: learned queries and keys of an eighth of the width and learned values, as
            in the authors' code (their 328,321 parameters at width 512); ``inner_product``: Eq. 4 to the
            letter. A representation's inner product with itself so far exceeds those with others that P
            starts near the identity there (saturated softmax, hardly any gradient): lower ``energy_scale``.
        alpha_start: initial degree of the walk; 0 in the authors' code.
        energy_scale: factor of the energies (an inverse temperature); 1 in the paper and its code.
        walk_stride: cells of the walk's grid lie this many cells apart.
        conv_after: one more 3 x 3 convolution between walk and classifier, as in the authors' later code.
        uniform: P = 1/n everywhere, global pooling in the walk's place: a control.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"walk"})

    similarity: Literal["embedded", "inner_product"] = "embedded"
    alpha_start: float = 0.0
    energy_scale: Annotated[float, Meta(gt=0)] = 1.0
    walk_stride: Annotated[int, Meta(ge=1)] = 1
    conv_after: bool = False
    uniform: bool = False

    def walk_cells(self, cells: int) -> int:
        """Every ``walk_stride``-th of the cells (see ``Head``)."""
        return coarse_cells(cells, self.walk_stride)

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return RandomWalkHead(spec, self)


class RandomWalkHead(PlainHead):
    """Features to representation, walk, logits.

    What it shares with ``plain`` is drawn first, and the walk from its own sequence: at equal seeds both
    start from the same weights.
    """

    def __init__(self, spec: HeadSpec, options: RandomWalk) -> None:
        super().__init__(spec)
        with seeded("walk", spec.seed):
            self.walk = Walk(
                spec.width,
                embedded=options.similarity == "embedded",
                alpha_start=options.alpha_start,
                energy_scale=options.energy_scale,
                stride=options.walk_stride,
                uniform=options.uniform,
            )
            self.conv_after = conv_bn_relu(spec.width, spec.width, 3) if options.conv_after else nn.Identity()

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute f^{L-1}, the walk's factors, f^L and the logits."""
        before = self.reduction(features)
        energies = self.walk.energies(before)
        if until == "energies":
            return Output(before, energies, self.walk.alpha)
        after = self.walk(before, energies)
        if until == "after":
            return Output(before, energies, self.walk.alpha, after)
        return Output(before, energies, self.walk.alpha, after, self.classify(self.conv_after(after)))
