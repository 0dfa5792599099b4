"""Whether a method can work under a protocol at all, found out before anything is trained."""

from __future__ import annotations

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.ops.step import Given
from scribblebench.training.evaluation_parts import make_crf, make_inference


def check_method(method: MethodCard, protocol: ProtocolCard) -> None:
    """Build every part and ask every loss whether it can act.

    Raises:
        UserError: a part does not exist, has not the option given, or needs what the others do not give.
    """
    where = f"method '{method.name}'"
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
    for term in method.losses:
        try:
            LOSSES.build(term.part, term.options, where).check(given)
        except UserError as error:
            raise UserError(f"{where}, loss '{term.part}': {error}") from error
