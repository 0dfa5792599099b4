"""A cell of a grid: one method, one variant of a dataset, one protocol, one seed, and its identity."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from scribblebench.core.cards import LossTerm, MethodCard, ProtocolCard
from scribblebench.core.files import fingerprint
from scribblebench.core.library import as_data
from scribblebench.inference import INFERENCES
from scribblebench.losses import LOSSES
from scribblebench.nn.heads import HEADS
from scribblebench.sources.manifest import RULE
from scribblebench.sources.spec import VariantSpec
from scribblebench.store.record import SCHEMA, slug_of

# Fields of a protocol that decide nothing about the trained weights.
_NOT_TRAINING = ("name", "title", "dataset", "evaluation")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What is trained and evaluated.

    Attributes:
        method: its card.
        protocol: its card, ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: name of the dataset card.
        classes: class names.
        variant: the degradation of the strokes and its seed.
        kind: name of the degradation, ``none`` for the original strokes.
        rate: its rate.
        seed: the training seed.
        train_fingerprint: of the training split's ids, strokes and masks, before degradation.
        val_fingerprint: of the validation split's ids and masks.
        weights_sha256: of the initial weights' file; empty where they are random or torchvision's.
    """

    method: MethodCard
    protocol: ProtocolCard
    overrides: dict[str, Any]
    dataset: str
    classes: tuple[str, ...]
    variant: VariantSpec
    kind: str
    rate: float
    seed: int
    train_fingerprint: str
    val_fingerprint: str
    weights_sha256: str = ""

    @property
    def training_identity(self) -> dict[str, Any]:
        """Everything that decides the trained weights, defaults spelt out."""
        protocol = {k: v for k, v in as_data(self.protocol).items() if k not in _NOT_TRAINING}
        if self.weights_sha256:
            protocol["weights"] = self.weights_sha256
        return {
            "schema": SCHEMA,
            "supervision": self.method.supervision,
            "network": resolved(HEADS, self.method.network, "head", self.method.name),
            "losses": [resolved_term(term, self.method.name) for term in self.method.losses],
            "protocol": protocol,
            "data": self.train_fingerprint,
            "variant": {"rule": RULE, **as_data(self.variant)},
            "classes": len(self.classes),
            "seed": self.seed,
        }

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the cell's numbers: another evaluation does not train again."""
        return {
            "training": self.training_identity,
            "evaluation": resolved(INFERENCES, self.protocol.evaluation, "part", self.protocol.name),
            "val": self.val_fingerprint,
        }

    @property
    def training_id(self) -> str:
        """SHA-256 of what decides the weights."""
        return fingerprint(self.training_identity)

    @property
    def id(self) -> str:
        """SHA-256 of the identity."""
        return fingerprint(self.identity)

    @property
    def slug(self) -> str:
        """File-name safe name for people."""
        return slug_of(self.dataset, self.method.name, self.kind, self.rate, self.seed, self.id)

    def boundaries(self) -> set[int]:
        """Epochs behind which a loss sets in: where runs that differ in it part."""
        return {whole_epochs(term, self.protocol.epochs) for term in self.method.losses} - {0}

    def stage_id(self, epochs: int) -> str:
        """Identity of the state after some epochs: later losses have no part in it."""
        identity = self.training_identity
        terms = zip(self.method.losses, identity["losses"], strict=True)
        acting = [data for term, data in terms if whole_epochs(term, self.protocol.epochs) < epochs]
        return fingerprint({**identity, "losses": acting, "until": epochs})


def whole_epochs(term: LossTerm, epochs: int) -> int:
    """Count the whole epochs before a loss sets in.

    >>> whole_epochs(LossTerm("entropy", starts=0.5), epochs=25)
    12
    """
    return math.floor(term.starts * epochs)


def resolved(registry: Any, spec: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return a part's name and all its options, defaults included.

    Raises:
        UserError: no such part, or an option it does not have.
    """
    options = {k: v for k, v in spec.items() if k != key}
    return {key: spec.get(key, ""), **msgspec.to_builtins(registry.build(spec.get(key, ""), options, where))}


def resolved_term(term: LossTerm, where: str) -> dict[str, Any]:
    """Return a loss of a method and all its options, defaults included."""
    part = resolved(LOSSES, {"part": term.part, **term.options}, "part", where)
    return {**as_data(term), "options": part}
