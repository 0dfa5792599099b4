"""From a grid card to its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scribblebench.core.cards import GridCard, MethodCard, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import source_fingerprint
from scribblebench.training.cell import Cell

UNDEGRADED = "none"


@dataclass(frozen=True)
class Plan:
    """A grid and what it is run on.

    Attributes:
        grid: its card.
        methods: the cards of the methods to run.
        protocol: with ``--set`` applied.
        overrides: what ``--set`` replaced.
        dataset: the dataset's folder.
        rates: only these rates, or None for the grid's own.
        seeds: of strokes and training together.
        weights: file of initial weights, or None.
    """

    grid: GridCard
    methods: Sequence[MethodCard]
    protocol: ProtocolCard
    overrides: dict[str, Any]
    dataset: DatasetFolder
    rates: Sequence[float] | None
    seeds: Sequence[int]
    weights: Path | None = None

    def variants(self) -> list[tuple[str, float]]:
        """List kinds and rates; rate 0 of any kind is the one undegraded variant.

        Raises:
            UserError: the grid has none of the rates asked for.
        """
        every = [(v.kind if rate else UNDEGRADED, rate) for v in self.grid.variants for rate in v.rates]
        known = list(dict.fromkeys(every))
        if self.rates is None:
            return known
        missing = sorted(set(self.rates) - {rate for _, rate in known})
        if missing:
            rates = ", ".join(f"{rate:g}" for _, rate in known)
            raise UserError(f"Grid '{self.grid.name}' has no rate {missing[0]:g}. Its rates: {rates}.")
        return [(kind, rate) for kind, rate in known if rate in self.rates]


def expand(plan: Plan) -> list[Cell]:
    """List the cells of a plan: seed by seed, variant by variant, method by method."""
    card, variants = plan.dataset.card, plan.variants()
    fingerprints = {split: source_fingerprint(plan.dataset, split) for split in ("train", "val")}
    weights = file_sha256(plan.weights) if plan.weights else ""
    return [
        Cell(
            method=method,
            protocol=plan.protocol,
            overrides=plan.overrides,
            dataset=card.name,
            classes=card.classes,
            variant=_variant_spec(kind, rate, seed),
            kind=kind,
            rate=rate,
            seed=seed,
            train_fingerprint=fingerprints["train"],
            val_fingerprint=fingerprints["val"],
            weights_sha256=weights,
        )
        for seed in plan.seeds
        for kind, rate in variants
        for method in plan.methods
    ]


def _variant_spec(kind: str, rate: float, seed: int) -> VariantSpec:
    """Return the variant of one kind, rate and seed, by the default rules.

    The original strokes are the same whatever the seed.
    """
    return VariantSpec.of(kind, rate, seed if kind != UNDEGRADED else 0)
