"""``classifier`` with an embedding in which cells of one class are near each other (AffinityNet)."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec
from scribblebench.nn.heads.classifier import ClassifierHead
from scribblebench.nn.initial import seeded


@HEADS.register
class PairAffinity(Head, frozen=True):
    """Two 1 x 1 convolutions, each with an ELU, on the representation.

    AffinityNet reads three stages of its network; here the representation stands for them.

    Attributes:
        width: channels of the embedding; 448 in the publication.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"activations", "affinity"})

    width: Positive = 64

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return PairAffinityHead(spec, self.width)


class PairAffinityHead(ClassifierHead):
    """Class maps, and as ``features["affinity"]`` the embedding."""

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__(spec)
        with seeded("affinity", spec.seed):
            self.affinity = nn.Sequential(
                nn.Conv2d(spec.width, width, 1, bias=False),
                nn.ELU(),
                nn.Conv2d(width, width, 1, bias=False),
                nn.ELU(),
            )

    def further(self, before: Tensor) -> dict[str, Tensor]:
        """Return what the head gives besides logits."""
        return {**super().further(before), "affinity": self.affinity(before)}
