"""From a grid card to its cells."""

from __future__ import annotations

from collections.abc import Sequence

from scribblebench.core.cards import GridCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256
from scribblebench.grid.asked import Asked
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import source_fingerprint
from scribblebench.training.cell import Cell

UNDEGRADED = "none"


def expand(asked: Asked, dataset: DatasetFolder) -> list[Cell]:
    """List the cells asked for: seed by seed, variant by variant, method by method.

    Args:
        asked: methods, variants, seeds and protocol.
        dataset: the dataset's folder, opened.

    Raises:
        UserError: the grid has none of the rates asked for.
    """
    variants = _variants(asked.grid, asked.rates)
    fingerprints = {split: source_fingerprint(dataset, split) for split in ("train", "val")}
    weights = file_sha256(asked.weights) if asked.weights else ""
    return [
        Cell(
            method=method,
            protocol=asked.protocol,
            overrides=asked.overrides,
            dataset=dataset.card.name,
            classes=dataset.card.classes,
            variant=_variant_spec(kind, rate, seed),
            kind=kind,
            rate=rate,
            seed=seed,
            train_fingerprint=fingerprints["train"],
            val_fingerprint=fingerprints["val"],
            weights_sha256=weights,
        )
        for seed in asked.seeds
        for kind, rate in variants
        for method in asked.methods
    ]


def _variants(grid: GridCard, rates: Sequence[float] | None) -> list[tuple[str, float]]:
    """List kinds and rates; rate 0 of any kind is the one undegraded variant."""
    every = [(v.kind if rate else UNDEGRADED, rate) for v in grid.variants for rate in v.rates]
    known = list(dict.fromkeys(every))
    if rates is None:
        return known
    missing = sorted(set(rates) - {rate for _, rate in known})
    if missing:
        has = ", ".join(f"{rate:g}" for _, rate in known)
        raise UserError(f"Grid '{grid.name}' has no rate {missing[0]:g}. Its rates: {has}.")
    return [(kind, rate) for kind, rate in known if rate in rates]


def _variant_spec(kind: str, rate: float, seed: int) -> VariantSpec:
    """Return the variant of one kind, rate and seed, by the default rules.

    The original strokes are the same whatever the seed.
    """
    return VariantSpec.of(kind, rate, seed if kind != UNDEGRADED else 0)
