"""What a method and a protocol are made of, whatever data they meet: their share of a number's identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from scribblebench.core.cards import LossTerm, MethodCard, ProtocolCard
from scribblebench.core.identity import stated, stated_part, versions
from scribblebench.inference import INFERENCES
from scribblebench.loading import augment
from scribblebench.losses import LOSSES
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.propagation import PROPAGATIONS
from scribblebench.supervision import SUPERVISIONS
from scribblebench.training import loop, relabel
from scribblebench.training.spans import Span, spans

# Fields of a protocol that decide nothing about the trained weights; relabelling does in some methods.
_NOT_TRAINING = ("name", "title", "dataset", "evaluation", "relabelling")


def whole_epochs(term: LossTerm, epochs: int) -> int:
    """Count the whole epochs before a loss sets in.

    >>> whole_epochs(LossTerm("entropy", starts=0.5), epochs=25)
    12
    """
    return math.floor(term.starts * epochs)


def recipe(method: MethodCard, protocol: ProtocolCard, until: int | None = None) -> dict[str, Any]:
    """Return what a method and a protocol are made of.

    A method in stages that has only begun with the strokes is, up to there, the method without stages.

    Args:
        method: network, losses, stages and supervision.
        protocol: the rest.
        until: only what acts in the first so many epochs; all where absent.

    Raises:
        UserError: no such part, or an option that a part does not have.
    """
    where = f"method {method.name}"
    begun = [span for span in spans(method, protocol.epochs) if until is None or span.first < until]
    terms = [_acting(span, protocol.epochs, until) for span in begun]
    return {
        "supervision": SUPERVISIONS.get(method.supervision).word,
        "network": stated_part(HEADS, method.network, "head", where),
        **_trained_with(begun, terms, protocol.epochs, where),
        "protocol": {k: v for k, v in stated(protocol).items() if k not in _NOT_TRAINING},
        **(relabelling(protocol) if any(span.sees_predictions for span in begun) else {}),
        "rules": {
            "training": loop.RULE,
            "augmentation": augment.RULE,
            **versions(
                (BACKBONES, protocol.backbone),
                (HEADS, method.network.get("head", "")),
                *((LOSSES, term.part) for of_span in terms for term in of_span),
            ),
            **_propagation_rules(begun, where),
        },
    }


def _acting(span: Span, epochs: int, until: int | None) -> tuple[LossTerm, ...]:
    if until is None:
        return span.losses
    return tuple(term for term in span.losses if whole_epochs(term, epochs) < until)


def _trained_with(
    begun: Sequence[Span], terms: Sequence[tuple[LossTerm, ...]], epochs: int, where: str
) -> dict[str, Any]:
    """Return the losses and, of a method that has more than one kind of stage, the stages."""
    losses = [[_stated_term(term, where) for term in of_span] for of_span in terms]
    plain = all(not span.labels and span.schedule == (0, epochs) for span in begun)
    if plain and all(of_span == losses[0] for of_span in losses):
        return {"losses": losses[0]}
    stages = [
        {
            "first": span.first,
            "losses": of_span,
            "labels": stated_part(PROPAGATIONS, span.labels, "part", where) if span.labels else "strokes",
            "schedule": span.schedule,
            "fresh": span.fresh,
        }
        for span, of_span in zip(begun, losses, strict=True)
    ]
    return {"stages": stages}


def relabelling(protocol: ProtocolCard) -> dict[str, Any]:
    """Return how a protocol lets a network see the training images that are given new labels."""
    spec = protocol.relabelling
    stated_spec = stated_part(INFERENCES, spec, "part", f"protocol {protocol.name}")
    rules = {"relabelling": relabel.RULE, **versions((INFERENCES, spec.get("part", "")))}
    return {"relabelling": {**stated_spec, "rules": rules}}


def _propagation_rules(begun: Sequence[Span], where: str) -> dict[str, int | str]:
    rules: dict[str, int | str] = {}
    for span in begun:
        if span.labels:
            name, part = span.labels["part"], span.propagation(where)
            rules |= versions((PROPAGATIONS, name), *part.uses())
    return rules


def _stated_term(term: LossTerm, where: str) -> dict[str, Any]:
    """Return a loss of a method: when and how strongly it acts, and the options that are not defaults."""
    part = stated_part(LOSSES, {"part": term.part, **term.options}, "part", where)
    return {**stated(term), "options": part}
