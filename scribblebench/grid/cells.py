"""From a grid card to its cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scribblebench.core.files import file_sha256
from scribblebench.grid.asked import Asked
from scribblebench.grid.variants import Chosen, of_grid
from scribblebench.loading.batches import batch_not_filled
from scribblebench.sources.checks import check
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.survey import Progress, Survey, survey
from scribblebench.supervision import Supervision, check_degradation, supervision
from scribblebench.training.build import initial_weights
from scribblebench.training.cell import Cell
from scribblebench.training.fits import check_method, check_weights, doubts


def expand(
    asked: Asked,
    dataset: DatasetFolder,
    progress: Progress | None = None,
    variants: Sequence[Chosen] | None = None,
) -> list[Cell]:
    """List the cells asked for: seed by seed, variant by variant, method by method.

    Everything that will be trained on or scored is looked at first.

    Args:
        asked: methods, variants, seeds and protocol.
        dataset: the dataset's folder, opened.
        progress: called with images looked at and images in all.
        variants: to train on, in place of the grid's.

    Raises:
        UserError: the grid cannot have the rates asked for, a method cannot work under the protocol, or the
            data is not in order.
    """
    if variants is None:
        variants = of_grid(asked.grid, asked.rates, asked.seeds)
    for method in asked.methods:
        check_method(method, asked.protocol)
        for chosen in variants:
            check_degradation(method.supervision, chosen.spec, f"method '{method.name}'")
    weights = initial_weights(asked.protocol, asked.weights)
    check_weights(asked.protocol, str(weights or asked.protocol.weights))
    splits = _look(asked, dataset, [chosen.spec for chosen in variants], progress)
    notices = [line for part in _supervisions(asked) for line in part.notices(dataset)]
    warnings = (*check(dataset, **splits), *notices)
    lacking = batch_not_filled(len(splits["train"].photographs), asked.protocol.batch)
    warnings = (*warnings, *([lacking.removesuffix(".")] if lacking else ()))
    return [
        Cell(
            method=method,
            protocol=asked.protocol,
            overrides=asked.overrides,
            dataset=dataset.card.name,
            classes=dataset.card.classes,
            ignore_index=dataset.card.ignore_index,
            variant=spec,
            kind=kind,
            rate=rate,
            seed=seed,
            train=splits["train"].digests,
            val=splits["val"].digests,
            warnings=(*warnings, *doubts(method, asked.protocol)),
            weights_sha256=file_sha256(weights) if weights else "",
        )
        for spec, kind, rate, seed in variants
        for method in asked.methods
    ]


def _look(
    asked: Asked, dataset: DatasetFolder, variants: Sequence[VariantSpec], progress: Progress | None
) -> dict[str, Survey]:
    """Survey both splits, as far as their files are needed."""
    parts = _supervisions(asked)
    reads = frozenset[str]().union(*(part.reads for part in parts))
    looked_at = "strokes" in reads and any(spec.needs_masks() for spec in variants)
    needed: dict[str, dict[str, Any]] = {
        "train": {
            "strokes": "strokes" in reads,
            "masks": "masks" in reads or (looked_at and dataset.card.has_masks),
            "marks": {name: kind for part in parts for name, kind in part.files().items()},
        },
        "val": {"strokes": False, "masks": True},
    }
    memory = asked.variants / dataset.card.name
    return {
        split: survey(dataset, split, **kinds, memory=memory / f".survey-{split}.json", progress=progress)
        for split, kinds in needed.items()
    }


def _supervisions(asked: Asked) -> list[Supervision]:
    """Make each kind of supervision that a method sees."""
    names = dict.fromkeys(method.supervision for method in asked.methods)
    return [supervision(name, "grid") for name in names]
