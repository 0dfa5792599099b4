"""A trained cell on any photograph: rebuilt from its record alone, without cards and data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scribblebench.core.cards import MethodCard, Paper, ProtocolCard, convert
from scribblebench.core.errors import UserError
from scribblebench.core.identity import versions
from scribblebench.inference import INFERENCES, Inference
from scribblebench.loading.images import normalise
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.nn.network import Network, build_network
from scribblebench.refine import Refiner
from scribblebench.store.record import Record
from scribblebench.training import checkpoint
from scribblebench.training.evaluate import Labels, labels_of
from scribblebench.training.evaluation_parts import make_inference
from scribblebench.training.loop import logits_of
from scribblebench.training.run_cell import use_threads
from scribblebench.training.train import final_weights


@dataclass(frozen=True)
class Predictor:
    """Predicts as a cell's evaluation does, one photograph at a time.

    Attributes:
        logits: normalised images to logits.
        inference: how whole images are looked at.
        stride: the network's output stride.
        device: where the network is.
        crf: refines the probabilities, or None.
    """

    logits: Callable[[Tensor], Tensor]
    inference: Inference
    stride: int
    device: torch.device
    crf: Refiner | None = None

    @torch.inference_mode()
    def __call__(self, photograph: Labels) -> Labels:
        """Predict the class of every pixel: uint8 (h, w, 3) to uint8 (h, w)."""
        picture = torch.from_numpy(photograph).to(self.device)
        pixels = picture.permute(2, 0, 1)[None]
        scores = self.inference(self.logits, normalise(pixels), self.stride)[0]
        return labels_of(scores if self.crf is None else self.crf(scores, picture))


def predictor(record: Record, runs: Path, device: torch.device, crf: Refiner | None = None) -> Predictor:
    """Rebuild a finished cell, to predict as it does.

    Args:
        record: the cell's.
        runs: folder of records, where its weights are.
        device: where it is to run.
        crf: refines what it predicts; that of the cell's own evaluation has no part in it.

    Raises:
        UserError: see ``trained_network``.
    """
    network, protocol = trained_network(record, runs, device)
    use_threads(protocol, device)
    logits = logits_of(network, protocol.precision)
    return Predictor(logits, make_inference(protocol), protocol.output_stride, device, crf)


def trained_network(record: Record, runs: Path, device: torch.device) -> tuple[Network, ProtocolCard]:
    """Rebuild the network of a finished cell with its final weights, in evaluation mode; and its protocol.

    Raises:
        UserError: its weights are not here, or this program would compute with them otherwise.
    """
    method, protocol = _cards(record)
    _refuse_other_rules(record, method, protocol)
    weights = final_weights(runs / "checkpoints", record.training_id)
    if not weights.exists():
        raise UserError(
            f"No weights of {record.slug} at {weights}. Copy them there from where it was trained, "
            "or run the cell again with --rerun all."
        )
    network = build_network(protocol, method, len(record.classes), record.seed)
    network = network.to(device).to(memory_format=torch.channels_last)
    checkpoint.load(weights, network)
    return network.eval(), protocol


def _cards(record: Record) -> tuple[MethodCard, ProtocolCard]:
    """Read the cards out of a record's identity: those of today may have been edited."""
    training, evaluation = (_part(record, name) for name in ("training", "evaluation"))
    where = f"the record of {record.slug}"
    # Initial weights are a digest there, and the final ones come in their place.
    fields = {k: v for k, v in training.get("protocol", {}).items() if k != "weights"}
    names = {"name": record.protocol, "title": record.protocol, "dataset": record.dataset}
    looked_at = {k: v for k, v in evaluation.items() if k != "rules"}
    protocol = convert({**fields, **names, "evaluation": looked_at}, ProtocolCard, where)
    method = MethodCard(
        name=record.method,
        title=record.method,
        paper=Paper(key="", year=0, title=""),
        network=training.get("network", {}),
        losses=(),
    )
    return method, protocol


def _refuse_other_rules(record: Record, method: MethodCard, protocol: ProtocolCard) -> None:
    """Look whether the parts that predict compute as they did when the cell was trained."""
    then = {**_part(record, "training").get("rules", {}), **_part(record, "evaluation").get("rules", {})}
    now = versions(
        (BACKBONES, protocol.backbone),
        (HEADS, str(method.network.get("head", ""))),
        (INFERENCES, str(protocol.evaluation.get("part", ""))),
    )
    if changed := [part for part, rule in now.items() if then.get(part, rule) != rule]:
        raise UserError(
            f"{record.slug} was trained when {changed[0]} had another rule; this program would predict "
            "otherwise. Use the version that its record names, or train it again."
        )


def _part(record: Record, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = record.identity.get(name, {})
    return found
