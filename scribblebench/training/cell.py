"""A cell of a grid: one method, one variant of a dataset, one protocol, one seed, and its identity."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.files import fingerprint
from scribblebench.core.identity import stated_part, versions
from scribblebench.propagation import PROPAGATIONS
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import VariantSpec
from scribblebench.store.record import slug_of
from scribblebench.supervision import Supervision, supervision
from scribblebench.training import evaluate
from scribblebench.training.evaluation_parts import stated_evaluation
from scribblebench.training.recipe import recipe, relabelling, whole_epochs
from scribblebench.training.spans import Span, spans


class Cell(msgspec.Struct, frozen=True, kw_only=True, dict=True):  # dict: for what is cached
    """What is trained and evaluated.

    Attributes:
        method: its card.
        protocol: its card, ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: name of the dataset card.
        classes: class names.
        ignore_index: label of pixels that carry no class.
        variant: the degradation of the strokes, or of what the method sees in their place, and its seed.
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
    def supervision(self) -> Supervision:
        """What its losses are told."""
        return supervision(self.method.supervision, f"method {self.method.name}")

    @cached_property
    def training_identity(self) -> dict[str, Any]:
        """Everything that decides the trained weights, and nothing else."""
        return self._training()

    def _training(self, epochs: int | None = None) -> dict[str, Any]:
        identity = recipe(self.method, self.protocol, epochs)
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
        """What decides what the losses are told."""
        return self.supervision.stated(self.train, self.variant, self.ignore_index)

    @cached_property
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

    @cached_property
    def training_id(self) -> str:
        """SHA-256 of what decides the weights."""
        return fingerprint(self.training_identity)

    @cached_property
    def id(self) -> str:
        """SHA-256 of the identity."""
        return fingerprint(self.identity)

    @property
    def slug(self) -> str:
        """File-name safe name for people."""
        return slug_of(self.dataset, self.method.name, self.kind, self.rate, self.seed, self.id)

    def boundaries(self) -> set[int]:
        """Epochs behind which a loss or a stage sets in: where runs that differ in it part."""
        begun = spans(self.method, self.protocol.epochs)
        starts = {whole_epochs(term, self.protocol.epochs) for span in begun for term in span.losses}
        return (starts | {span.first for span in begun}) - {0, self.protocol.epochs}

    def labels_identity(self, span: Span) -> dict[str, Any]:
        """Everything that decides the labels that a stage makes.

        Without predictions neither the network nor the seed has a part in it.
        """
        where = f"method {self.method.name}"
        part = span.propagation(where)
        made = {
            "by": stated_part(PROPAGATIONS, span.labels, "part", where),
            "rules": versions((PROPAGATIONS, span.labels["part"]), *part.uses()),
        }
        if span.sees_predictions:
            return {**made, "network": self.prefix_id(span.first), **relabelling(self.protocol)}
        return {**made, "strokes": self._labels(), "photographs": self.train.photographs}

    def prefix_id(self, epochs: int) -> str:
        """Identity of the state after some epochs: later losses and stages have no part in it."""
        return fingerprint({**self._training(epochs), "until": epochs})
