"""Heads, one a file: from a trunk's features to logits; a method card names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from msgspec import Meta
from torch import nn

from scribblebench.core.registry import Part, Registry

# Where a forward pass may stop: the walk's factors, the representation after the walk, or the logits.
Until = Literal["energies", "after", "logits"]
Scale = Annotated[float, Meta(gt=0, le=4)]


@dataclass(frozen=True)
class HeadSpec:
    """What a protocol and a dataset fix about a head.

    Attributes:
        channels: of the trunk's features.
        width: channels of the representation before the classifier.
        classes: number of classes.
        dropout: share of channels dropped before the classifier.
        seed: the training seed, for parameters that have their own random sequence.
        stride: pixels per cell of the trunk's features.
    """

    channels: int
    width: int
    classes: int
    dropout: float
    seed: int
    stride: int = 8


class Head(Part, frozen=True, kw_only=True):
    """A head: its fields are the options of a method's ``network``.

    Attributes:
        multi_grid: whether the trunk's last stage doubles its dilation from block to block.
        gives: what the head's output has besides logits, such as ``walk``; losses may need it.
        sees_images: whether the module is given the images, too: ``forward(features, until, images)``.
        scales: of the image, itself first; the network runs on each, in training and afterwards, and its
            logits are the largest of any (see ``nn/scales.py``). All else is of the image itself.
    """

    multi_grid: ClassVar[bool] = False
    gives: ClassVar[frozenset[str]] = frozenset()
    sees_images: ClassVar[bool] = False

    scales: tuple[Scale, ...] = (1.0,)

    def __post_init__(self) -> None:
        """Refuse scales without the image itself."""
        if self.scales[:1] != (1.0,):
            raise ValueError("scales: the first must be 1, the image itself")

    @property
    def given(self) -> frozenset[str]:
        """What the whole network gives: the head's own, and ``scales`` where there are several."""
        return self.gives | ({"scales"} if len(self.scales) > 1 else set())

    def walk_cells(self, cells: int) -> int:
        """Return the rows of the walk's grid where the logits have ``cells``; 0 where there is no walk."""
        del cells
        return 0

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module: ``forward(features, until) -> Output``, logits on the features' grid."""
        raise TypeError(f"{type(self).__name__} does not say how it is built")


HEADS: Registry[Head] = Registry("head", __name__, Head)
