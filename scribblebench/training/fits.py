"""Whether a method can work under a protocol at all, found out before anything is trained."""

from __future__ import annotations

import torch

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.inference import INFERENCES
from scribblebench.losses import LOSSES
from scribblebench.nn import weights as weights_of
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.ops.step import Given


def check_method(method: MethodCard, protocol: ProtocolCard) -> None:
    """Build every part and ask every loss whether it can act.

    Raises:
        UserError: a part does not exist, has not the option given, or needs what the others do not give; or
            there are steps at which nothing is learned.
    """
    where = f"method '{method.name}'"
    options = dict(method.network)
    name = options.pop("head", None)
    if not isinstance(name, str):
        raise UserError(f"Method '{method.name}' names no head. Add 'head: plain' to its network.")
    head = HEADS.build(name, options, where)
    BACKBONES.build(protocol.backbone, {}, f"protocol '{protocol.name}'")
    evaluation = {k: v for k, v in protocol.evaluation.items() if k != "part"}
    INFERENCES.build(protocol.evaluation.get("part", ""), evaluation, f"protocol '{protocol.name}'")
    cells = (protocol.crop - 1) // protocol.output_stride + 1
    given = Given(head.gives, name, protocol.crop, head.walk_cells(cells))
    for term in method.losses:
        try:
            LOSSES.build(term.part, term.options, where).check(given)
        except UserError as error:
            raise UserError(f"{where}, loss '{term.part}': {error}") from error
    _check_terms(method, where)


def _check_terms(method: MethodCard, where: str) -> None:
    """Look whether something is learned at every step, and from every loss that is named."""
    if not any(term.weight for term in method.losses):
        raise UserError(f"{where} has no loss of any weight, so that nothing would be learned. Add one.")
    for index, term in enumerate(method.losses):
        if term.starts == 1:
            raise UserError(f"{where}, loss '{term.part}': from 1 on there is no step left. Leave it out.")
        if any(term.part == t.part and term.options == t.options for t in method.losses[:index]):
            raise UserError(
                f"{where} names the loss '{term.part}' twice. Leave one out, and add the weights."
            )
    first = min(term.starts for term in method.losses)
    if first:
        raise UserError(f"{where}: no loss acts before {first:g} of the run. Let one begin at 0.")


def check_weights(protocol: ProtocolCard, weights: str) -> None:
    """Look whether a protocol's backbone can be given its initial weights.

    Args:
        protocol: names the backbone.
        weights: as for ``nn.weights.load_weights``.

    Raises:
        UserError: they are missing, damaged or another network's.
    """
    with torch.device("meta"):  # a network without numbers
        trunk = BACKBONES.build(protocol.backbone, {}, f"protocol '{protocol.name}'").build(
            protocol.output_stride
        )
    weights_of.check_weights(trunk, weights)
