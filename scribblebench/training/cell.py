"""A cell of a grid: one method, one variant of a dataset, one protocol, one seed, and its identity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from scribblebench.core.cards import LossTerm, MethodCard, ProtocolCard
from scribblebench.core.files import fingerprint
from scribblebench.core.identity import stated, stated_part, versions
from scribblebench.loading import augment
from scribblebench.losses import LOSSES
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS
from scribblebench.sources import manifest
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import VariantSpec
from scribblebench.store.record import slug_of
from scribblebench.training import evaluate, loop
from scribblebench.training.evaluation_parts import stated_evaluation

# Fields of a protocol that decide nothing about the trained weights.
_NOT_TRAINING = ("name", "title", "dataset", "evaluation")
# Fields of a variant that decide nothing about its label maps: the strokes' digest covers the reader.
_NOT_PIXELS = ("labels", "strokes")


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What is trained and evaluated.

    Attributes:
        method: its card.
        protocol: its card, ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: name of the dataset card.
        classes: class names.
        ignore_index: label of pixels that carry no class.
        variant: the degradation of the strokes and its seed.
        kind: name of the degradation, ``none`` for the original strokes.
        rate: its rate.
        seed: the training seed.
        train: digests of the training split, before degradation.
        val: digests of the validation split.
        warnings: what was said of the data before training.
        weights_sha256: of the initial weights' file; empty where they are random or torchvision's.
    """

    method: MethodCard
    protocol: ProtocolCard
    overrides: dict[str, Any]
    dataset: str
    classes: tuple[str, ...]
    ignore_index: int
    variant: VariantSpec
    kind: str
    rate: float
    seed: int
    train: Digests
    val: Digests
    warnings: tuple[str, ...] = ()
    weights_sha256: str = ""

    @property
    def sees_masks(self) -> bool:
        """Whether the losses see dense masks in place of strokes."""
        return self.method.supervision == "masks"

    @property
    def training_identity(self) -> dict[str, Any]:
        """Everything that decides the trained weights, and nothing else."""
        return self._training(self.method.losses)

    def _training(self, terms: Sequence[LossTerm]) -> dict[str, Any]:
        identity = recipe(self.method, self.protocol, terms)
        if self.weights_sha256:
            identity["protocol"]["weights"] = self.weights_sha256
        return {
            **identity,
            "labels": self._labels(),
            "photographs": self.train.photographs,
            "classes": len(self.classes),
            "seed": self.seed,
        }

    def _labels(self) -> dict[str, Any]:
        """What decides the label maps that the losses see."""
        if self.sees_masks:
            return {"masks": self.train.masks, "ignore_index": self.ignore_index}
        looked_at = {"masks": self.train.masks} if self.variant.needs_masks() else {}
        return {
            "strokes": self.train.strokes,
            **looked_at,
            "variant": {k: v for k, v in stated(self.variant.checked()).items() if k not in _NOT_PIXELS},
            "rules": {"strokes": manifest.RULE, **self.variant.versions()},
        }

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that decides the cell's numbers: another evaluation does not train again."""
        evaluation = stated_evaluation(self.protocol)
        return {
            "training": self.training_identity,
            "evaluation": {
                **evaluation,
                "rules": {"evaluation": evaluate.RULE, **evaluation["rules"]},
            },
            "val": {
                "photographs": self.val.photographs,
                "masks": self.val.masks,
                "ignore_index": self.ignore_index,
            },
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
        acting = [t for t in self.method.losses if whole_epochs(t, self.protocol.epochs) < epochs]
        return fingerprint({**self._training(acting), "until": epochs})


def whole_epochs(term: LossTerm, epochs: int) -> int:
    """Count the whole epochs before a loss sets in.

    >>> whole_epochs(LossTerm("entropy", starts=0.5), epochs=25)
    12
    """
    return math.floor(term.starts * epochs)


def recipe(method: MethodCard, protocol: ProtocolCard, terms: Sequence[LossTerm]) -> dict[str, Any]:
    """Return what a method and a protocol are made of, whatever data they meet.

    Args:
        method: network and supervision.
        protocol: the rest.
        terms: those losses of the method that count.

    Raises:
        UserError: no such part, or an option that a part does not have.
    """
    where = f"method {method.name}"
    return {
        "supervision": method.supervision,
        "network": stated_part(HEADS, method.network, "head", where),
        "losses": [_stated_term(term, where) for term in terms],
        "protocol": {k: v for k, v in stated(protocol).items() if k not in _NOT_TRAINING},
        "rules": {
            "training": loop.RULE,
            "augmentation": augment.RULE,
            **versions(
                (BACKBONES, protocol.backbone),
                (HEADS, method.network.get("head", "")),
                *((LOSSES, term.part) for term in terms),
            ),
        },
    }


def _stated_term(term: LossTerm, where: str) -> dict[str, Any]:
    """Return a loss of a method: when and how strongly it acts, and the options that are not defaults."""
    part = stated_part(LOSSES, {"part": term.part, **term.options}, "part", where)
    return {**stated(term), "options": part}
