"""The embedded random walk (paper, Eq. 2, 4, 5), and its P made in other ways."""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import PlainHead, conv_bn_relu
from scribblebench.nn.initial import seeded
from scribblebench.nn.walk import Form, Similarity, Value, Walk, coarse_cells
from scribblebench.ops.cells import around_cells
from scribblebench.ops.colour import rgb
from scribblebench.ops.step import Output

Above0 = Annotated[float, Meta(gt=0)]


@HEADS.register
class RandomWalk(Head, frozen=True):
    """``plain`` with the walk between the representation and the classifier.

    Attributes:
        similarity: what the energies E are made of; P is the softmax of each row. ``embedded``: learned
            queries and keys of an eighth of the width, as in the authors' code (their 328,321 parameters at
            width 512, learned values included). ``inner_product``: Eq. 4 to the letter. A representation's
            inner product with itself so far exceeds those with others that P starts near the identity there
            (saturated softmax, hardly any gradient): lower ``energy_scale``. ``posterior``: ``E_ij = p_i .
            p_j``, p the classifier's own class probabilities at f^{L-1} (through ``conv_after``, without
            dropout), detached, so that no gradient goes through P. ``image``: E is no product but P the
            bilateral kernel of place and of the mean colour around each cell, which the network does not
            learn. The last two are not in the paper.
        alpha_start: initial degree of the walk; 0 in the authors' code.
        energy_scale: factor of the energies (an inverse temperature); 1 in the paper and its code.
        walk_stride: cells of the walk's grid lie this many cells apart.
        conv_after: one more 3 x 3 convolution between walk and classifier, as in the authors' later code.
        uniform: P = 1/n everywhere, global pooling in the walk's place: a control.
        centre: subtract the image's mean query from every query, so that no cell is a destination for all.
        normalise: ``cosine``: queries and keys have length 1, and only ``energy_scale`` sharpens P.
        value: what the walk carries: f^{L-1} itself (``identity``) or a learned linear map of it. If absent,
            ``linear`` for ``embedded`` and ``identity`` for the others.
        alpha: ``fixed``: alpha stays ``alpha_start``.
        xy: standard deviation of ``image`` over place, in cells of the walk's grid.
        rgb: standard deviation of ``image`` over each colour, in levels of 0-255.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"walk"})
    sees_images: ClassVar[bool] = True

    similarity: Similarity = "embedded"
    alpha_start: float = 0.0
    energy_scale: Above0 = 1.0
    walk_stride: Annotated[int, Meta(ge=1)] = 1
    conv_after: bool = False
    uniform: bool = False
    centre: bool = False
    normalise: Literal["none", "cosine"] = "none"
    value: Value | None = None
    alpha: Literal["learned", "fixed"] = "learned"
    xy: Above0 = 4.0
    rgb: Above0 = 20.0

    def __post_init__(self) -> None:
        """Refuse what would make no kernel of the image's."""
        super().__post_init__()
        if self.similarity == "image" and (self.centre or self.normalise != "none"):
            raise ValueError("centre and normalise are for queries and keys: 'similarity: image' has none")

    def walk_cells(self, cells: int) -> int:
        """Every ``walk_stride``-th of the cells (see ``Head``)."""
        return coarse_cells(cells, self.walk_stride)

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return RandomWalkHead(spec, self.form, self.conv_after)

    @property
    def form(self) -> Form:
        """What the walk itself is made of."""
        return Form(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Form)})


class RandomWalkHead(PlainHead):
    """Features to representation, walk, logits.

    What it shares with ``plain`` is drawn first, and the walk from its own sequence: at equal seeds both
    start from the same weights.
    """

    def __init__(self, spec: HeadSpec, form: Form, conv_after: bool) -> None:
        super().__init__(spec)
        with seeded("walk", spec.seed):
            self.walk = Walk(spec.width, form)
            if conv_after:
                self.conv_after = conv_bn_relu(spec.width, spec.width, 3)

    def forward(self, features: Tensor, until: Until = "logits", images: Tensor | None = None) -> Output:
        """Compute f^{L-1}, the walk's factors, f^L and the logits."""
        before = self.reduction(features)
        energies = self.walk.energies(compared(self.walk.form, self, before, images))
        if until == "energies":
            return Output(before, energies, self.walk.alpha)
        after = self.walk(before, energies)
        if until == "after":
            return Output(before, energies, self.walk.alpha, after)
        return Output(before, energies, self.walk.alpha, after, self.classify(after))


def compared(form: Form, head: PlainHead, before: Tensor, images: Tensor | None) -> Tensor:
    """Find what makes two cells alike (see ``Walk.energies``).

    Args:
        form: of the walk.
        head: whose classifier gives the posteriors.
        before: f^{L-1}, (batch, channels, h, w).
        images: normalised; only ``image`` looks at them.
    """
    if form.uniform or form.similarity in ("embedded", "inner_product"):
        return before
    if form.similarity == "posterior":
        return head.posteriors(before)
    if images is None:
        raise TypeError("a walk of similarity 'image' was given no images")
    return 255 * around_cells(rgb(images), *before.shape[-2:])
