"""The parts that a protocol's ``evaluation`` names: a way to look at whole images, and a CRF behind it."""

from __future__ import annotations

import json
from typing import Any

from scribblebench.core.cards import ProtocolCard
from scribblebench.core.identity import stated, stated_part, versions
from scribblebench.inference import INFERENCES, Inference
from scribblebench.refine import REFINERS
from scribblebench.refine.dense_crf import DenseCrf, asked_crf


def make_inference(protocol: ProtocolCard) -> Inference:
    """Build the way in which a protocol looks at whole images.

    Raises:
        UserError: no such part, or an option that it does not have.
    """
    options = {k: v for k, v in _inference(protocol).items() if k != "part"}
    return INFERENCES.build(protocol.evaluation.get("part", ""), options, _where(protocol))


def make_crf(protocol: ProtocolCard) -> DenseCrf | None:
    """Build the CRF that refines what the inference gives; None where the protocol names none.

    Raises:
        UserError: no such preset, or an option that a CRF does not have.
    """
    asked = protocol.evaluation.get("crf")
    return None if asked is None else asked_crf(asked, _where(protocol))


def crf_name(protocol: ProtocolCard) -> str:
    """Return the CRF as the protocol names it, for people; empty where it names none."""
    asked = protocol.evaluation.get("crf")
    return asked if isinstance(asked, str) else "" if asked is None else json.dumps(asked, sort_keys=True)


def stated_evaluation(protocol: ProtocolCard) -> dict[str, Any]:
    """Return what an evaluation's identity holds of its parts; a preset is what it stands for."""
    part, crf = protocol.evaluation.get("part", ""), make_crf(protocol)
    return {
        **stated_part(INFERENCES, _inference(protocol), "part", _where(protocol)),
        **({} if crf is None else {"crf": stated(crf)}),
        "rules": versions((INFERENCES, part), *([] if crf is None else [(REFINERS, "dense_crf")])),
    }


def _inference(protocol: ProtocolCard) -> dict[str, Any]:
    return {k: v for k, v in protocol.evaluation.items() if k != "crf"}


def _where(protocol: ProtocolCard) -> str:
    return f"protocol '{protocol.name}'"
