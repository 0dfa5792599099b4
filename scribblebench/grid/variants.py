"""Which strokes the cells of a grid are trained on: a card's variants, other rates of them, or folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from scribblebench.core.cards import GridCard, GridVariants
from scribblebench.core.errors import UserError
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, open_variant

UNDEGRADED = "none"


class Chosen(NamedTuple):
    """A variant of a grid and the seed of the trainings on it.

    Attributes:
        spec: what it is.
        kind: its name without rate and seed, as in records.
        rate: of its last degradation; 0 without one.
        seed: of the trainings.
    """

    spec: VariantSpec
    kind: str
    rate: float
    seed: int


def of_grid(
    grid: GridCard, rates: Sequence[float] | None, seeds: Sequence[int], strokes: str = ""
) -> list[Chosen]:
    """List the variants of a grid card, seed by seed.

    Args:
        grid: the card.
        rates: of every degradation, in place of the card's; None for those. Rate 0 is the undegraded variant.
        seeds: of strokes and training together; undegraded strokes are the same whatever the seed.
        strokes: the reader of strokes, where it is not the dataset's first.

    Raises:
        UserError: the grid degrades nothing, but a rate is given; or an option that no degradation has.
    """
    listed = [(entry, rate) for entry in grid.variants for rate in _rates(grid, entry, rates)]
    chosen = []
    for seed in seeds:
        for entry, rate in listed:
            spec = VariantSpec.of(entry.kind if rate else UNDEGRADED, rate, seed, **entry.options)
            spec = VariantSpec(spec.degradations, spec.seed, strokes=strokes).checked()
            chosen.append(Chosen(spec, spec.kind, rate, seed))
    return list({(c.kind, c.rate, c.seed): c for c in reversed(chosen)}.values())[::-1]


def _rates(grid: GridCard, entry: GridVariants, rates: Sequence[float] | None) -> Sequence[float]:
    if entry.kind == UNDEGRADED and entry.options:
        raise UserError(f"Grid '{grid.name}': '{UNDEGRADED}' takes no options. Leave them out.")
    if rates is None:
        return entry.rates
    if all(other.kind == UNDEGRADED for other in grid.variants) and any(rates):
        raise UserError(f"Grid '{grid.name}' degrades nothing, so that --rates can only be 0. Leave it out.")
    return [rate for rate in sorted(rates) if rate == 0 or entry.kind != UNDEGRADED]


def of_folders(variants: Sequence[Variant], seeds: Sequence[int]) -> list[Chosen]:
    """List variants that ``make-dataset`` made, seed by seed of the trainings: theirs were drawn before."""
    specs = [variant.head.spec for variant in variants]
    return [Chosen(spec, spec.kind, spec.rate, seed) for seed in seeds for spec in specs]


def open_given(folders: Sequence[Path], dataset: str, rates: bool, strokes: str | None) -> list[Variant]:
    """Open the variants that a run is to be trained on in place of a grid's own.

    Args:
        folders: of ``make-dataset``.
        dataset: name of the dataset card that is used.
        rates: whether rates were asked for, too.
        strokes: the reader that was asked for, or None.

    Raises:
        UserError: one is no variant, or of another dataset, split or reader; or two are the same.
    """
    if folders and rates:
        raise UserError("--variant brings its own rates. Leave --rates out.")
    opened = [open_variant(folder) for folder in folders]
    for variant in opened:
        source = variant.head.source
        if (source.dataset, source.split) != (dataset, "train"):
            raise UserError(
                f"{variant.root} is a variant of {source.dataset} {source.split}, not of {dataset} train. "
                f"Give --dataset {source.dataset}, or another --variant."
            )
        if source.strokes != (strokes or opened[0].head.source.strokes):
            raise UserError(
                f"{variant.root} was made from {source.strokes} strokes, others or --from say otherwise. "
                "Give variants of one kind at a time."
            )
    ids = [variant.head.spec.id for variant in opened]
    if twice := next((name for name in ids if ids.count(name) > 1), None):
        raise UserError(f"--variant: two folders hold {twice}. Give one of them.")
    return opened


def forced_reader(dataset: DatasetFolder, first: DatasetFolder) -> str:
    """Return the reader of a dataset's strokes where it is not the one that is used if none is named."""
    return dataset.strokes if dataset.strokes != first.strokes else ""
