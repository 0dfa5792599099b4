"""Whether a method can work under a protocol at all, found out before anything is trained."""

from __future__ import annotations

import torch

from scribblebench.core.cards import TIMING, MethodCard, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.nn import weights as weights_of
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.ops.step import Given
from scribblebench.supervision import supervision
from scribblebench.training.evaluation_parts import make_crf, make_inference
from scribblebench.training.spans import Span, skipped, spans


def check_method(method: MethodCard, protocol: ProtocolCard) -> None:
    """Build every part and ask every loss whether it can act.

    Raises:
        UserError: a part does not exist, has not the option given, or needs what the others do not give; or
            there are steps at which nothing is learned.
    """
    where = f"method '{method.name}'"
    supervision(method.supervision, where)
    options = dict(method.network)
    name = options.pop("head", None)
    if not isinstance(name, str):
        raise UserError(f"Method '{method.name}' names no head. Add 'head: plain' to its network.")
    head = HEADS.build(name, options, where)
    BACKBONES.build(protocol.backbone, {}, f"protocol '{protocol.name}'")
    make_inference(protocol)
    make_crf(protocol)
    cells = (protocol.crop - 1) // protocol.output_stride + 1
    given = Given(head.given, name, protocol.crop, head.walk_cells(cells))
    for span in spans(method, protocol.epochs):
        _check_labels(span, method, where)
        for term in span.losses:
            try:
                LOSSES.build(term.part, term.options, where, TIMING).check(given)
            except UserError as error:
                raise UserError(f"{where}, loss '{term.part}': {error}") from error
        _check_terms(span, protocol.epochs, where)


def doubts(method: MethodCard, protocol: ProtocolCard) -> list[str]:
    """List what lets a method work otherwise than its card says."""
    left_out = skipped(method, protocol.epochs)
    if not left_out:
        return []
    return [
        f"method '{method.name}': {protocol.epochs} epochs are too few for {left_out} of its "
        f"{len(method.stages)} stages, which are left out"
    ]


def _check_labels(span: Span, method: MethodCard, where: str) -> None:
    if not span.labels:
        return
    part = span.propagation(where)
    if method.supervision not in part.works_with:
        raise UserError(
            f"{where}: '{span.labels['part']}' makes labels of {', '.join(sorted(part.works_with))}, but "
            f"'supervision: {method.supervision}' has none."
        )
    part.check()
    if part.needs_predictions() and not span.first:
        raise UserError(
            f"{where}: '{span.labels['part']}' needs the predictions of a stage before; the first stage has "
            "none. Let it begin with the strokes."
        )


def _check_terms(span: Span, epochs: int, where: str) -> None:
    """Look whether something is learned at every step, and from every loss that is named."""
    acting = [term for term in span.losses if term.weight and term.starts * epochs <= span.first]
    if not any(term.weight for term in span.losses):
        raise UserError(f"{where} has no loss of any weight, so that nothing would be learned. Add one.")
    for index, term in enumerate(span.losses):
        if term.starts == 1:
            raise UserError(f"{where}, loss '{term.part}': from 1 on there is no step left. Leave it out.")
        if any(term.part == t.part and term.options == t.options for t in span.losses[:index]):
            raise UserError(
                f"{where} names the loss '{term.part}' twice. Leave one out, and add the weights."
            )
    if not acting:
        first = min(term.starts for term in span.losses)
        raise UserError(f"{where}: no loss acts before {first:g} of the run. Let one begin at 0.")


def check_weights(protocol: ProtocolCard, weights: str) -> None:
    """Look whether a protocol's backbone can be given its initial weights.

    Args:
        protocol: names the backbone.
        weights: as for ``nn.weights.load_weights``.

    Raises:
        UserError: they are missing, damaged or another network's.
    """
    if weights == "none":  # and spare the start of what torch needs for networks without numbers
        return
    with torch.device("meta"):  # a network without numbers
        trunk = BACKBONES.build(protocol.backbone, {}, f"protocol '{protocol.name}'").build(
            protocol.output_stride
        )
    weights_of.check_weights(trunk, weights)
