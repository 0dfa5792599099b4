"""``classifier`` with a second one, of sub-categories (SC-CAM), and the walk's embedding."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec
from scribblebench.nn.heads.pair_affinity import PairAffinityHead
from scribblebench.nn.initial import seeded


@HEADS.register
class SubCategories(Head, frozen=True):
    """A 1 x 1 convolution to so many maps a class, averaged over the image like the classes' own.

    Attributes:
        width: channels of the affinities' embedding (see ``pair_affinity``).
        clusters: sub-categories of a class.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"activations", "affinity", "sub_categories"})

    width: Positive = 64
    clusters: Positive = 10

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return SubCategoriesHead(spec, self.width, self.clusters)


class SubCategoriesHead(PairAffinityHead):
    """Class maps, the embedding, and as ``features["sub_categories"]`` maps of clusters, class by class."""

    def __init__(self, spec: HeadSpec, width: int, clusters: int) -> None:
        super().__init__(spec, width)
        with seeded("sub_categories", spec.seed):
            self.sub_categories = nn.Conv2d(spec.width, (spec.classes - 1) * clusters, 1, bias=False)

    def further(self, before: Tensor) -> dict[str, Tensor]:
        """Return what the head gives besides logits."""
        return {**super().further(before), "sub_categories": self.sub_categories(self.dropout(before))}
