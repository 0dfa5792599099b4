"""A method's stages in epochs: when each begins, and what it trains with."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from scribblebench.core.cards import LossTerm, MethodCard, Stage
from scribblebench.propagation import PROPAGATIONS, Propagation


@dataclass(frozen=True)
class Span:
    """The epochs of one stage.

    Attributes:
        first: the epoch it begins with, from 0.
        last: the epoch behind its last.
        labels: how its labels are made; empty: the strokes.
        losses: its terms.
        fresh: it begins with initial weights.
        schedule: first epoch, and the one behind the last, of the learning-rate schedule that it is part of.
    """

    first: int
    last: int
    labels: dict[str, Any]
    losses: tuple[LossTerm, ...]
    fresh: bool
    schedule: tuple[int, int]

    @property
    def sees_predictions(self) -> bool:
        """Whether its labels are made with the network of the stage before."""
        return bool(self.labels) and self.first > 0

    def propagation(self, where: str) -> Propagation:
        """Build what makes its labels.

        Args:
            where: the card, for the message.

        Raises:
            UserError: no such part, or an option that it does not have.
        """
        options = {k: v for k, v in self.labels.items() if k != "part"}
        return PROPAGATIONS.build(self.labels.get("part", ""), options, where)


def spans(method: MethodCard, epochs: int) -> tuple[Span, ...]:
    """Divide so many epochs among a method's stages; one that gets none is left out.

    A method without stages is one span:

    >>> from scribblebench.core.library import Library
    >>> [(span.first, span.last) for span in spans(Library().method("baseline"), 30)]
    [(0, 30)]
    """
    stages = method.stages or (Stage(share=1.0),)
    ends = [round(share * epochs) for share in accumulate(stage.share for stage in stages)]
    begun = [
        (first, last, stage)
        for first, last, stage in zip([0, *ends], ends, stages, strict=False)
        if first < last
    ]
    cuts = [0, *(first for first, _, stage in begun if (stage.fresh or stage.restart) and first), epochs]
    return tuple(
        Span(
            first=first,
            last=last,
            labels=stage.labels,
            losses=stage.losses or method.losses,
            fresh=stage.fresh and first > 0,
            schedule=(max(cut for cut in cuts if cut <= first), min(cut for cut in cuts if cut > first)),
        )
        for first, last, stage in begun
    )


def skipped(method: MethodCard, epochs: int) -> int:
    """Count the stages that so few epochs leave out."""
    return len(method.stages or (None,)) - len(spans(method, epochs))
