"""Heads, one a file: from a trunk's features to logits; a method card names one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import nn

from scribblebench.core.registry import Part, Registry

# Where a forward pass may stop: the walk's factors, the representation after the walk, or the logits.
Until = Literal["energies", "after", "logits"]


@dataclass(frozen=True)
class HeadSpec:
    """What a protocol and a dataset fix about a head.

    Attributes:
        channels: of the trunk's features.
        width: channels of the representation before the classifier.
        classes: number of classes.
        dropout: share of channels dropped before the classifier.
        seed: the training seed, for parameters that have their own random sequence.
    """

    channels: int
    width: int
    classes: int
    dropout: float
    seed: int


class Head(Part, frozen=True):
    """A head: its fields are the options of a method's ``network``.

    Attributes:
        multi_grid: whether the trunk's last stage doubles its dilation from block to block.
        gives: what the head's output has besides logits, such as ``walk``; losses may need it.
        sees_images: whether the module is given the images, too: ``forward(features, until, images)``.
    """

    multi_grid: ClassVar[bool] = False
    gives: ClassVar[frozenset[str]] = frozenset()
    sees_images: ClassVar[bool] = False

    def walk_cells(self, cells: int) -> int:
        """Return the rows of the walk's grid where the logits have ``cells``; 0 where there is no walk."""
        del cells
        return 0

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module: ``forward(features, until) -> Output``, logits on the features' grid."""
        raise TypeError(f"{type(self).__name__} does not say how it is built")


HEADS: Registry[Head] = Registry("head", __name__, Head)
