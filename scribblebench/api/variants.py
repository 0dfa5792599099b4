"""Make a variant of a dataset from Python: the bytes of ``scribblebench make-dataset``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scribblebench.api.strokes import Degradations, variant_of
from scribblebench.core.library import Library
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.variant import Variant
from scribblebench.sources.variant import make_variant as make


def make_variant(
    out: Path | str,
    degradations: Degradations | None = None,
    *,
    dataset: str = "toy",
    data_dir: Path | str | None = None,
    split: str = "train",
    seed: int = 0,
    pen: Mapping[str, Any] | None = None,
    labels: str = "palette",
    workers: int = 1,
    cards: Sequence[Path | str] = (),
) -> Variant:
    """Make degraded scribbles in a folder; if the very same variant is there already, nothing is done.

    Args:
        out: the folder to make: label maps, strokes, a manifest and Croissant metadata.
        degradations: such as ``{"shrink": 0.5}`` or ``{"drop": {"rate": 0.3, "unit": "stroke"}}``, applied in
            this order; none makes the undegraded variant.
        dataset: the name of a dataset card.
        data_dir: the dataset's folder; without it, where ``fetch`` puts it. The toy dataset is generated.
        split: which images.
        seed: of every draw.
        pen: ``width`` (3 pixels), ``joints``, ``base`` and ``point``, as of ``make-dataset``.
        labels: ``palette`` or ``grey`` PNGs.
        workers: processes; more than one needs ``if __name__ == "__main__":`` in a script.
        cards: folders with cards of your own.

    Returns:
        The variant: its folder ``root``, ``ids``, ``label(id)``, ``manifest`` and ``fingerprint``.

    Raises:
        UserError: an unknown name, a value out of range, a source that is not in order (nothing is written),
            or something else in ``out``.
    """
    spec = variant_of(degradations or {}, seed, pen, labels=labels)
    return make(open_source(dataset, data_dir, cards), split, spec, Path(out), workers)


def open_source(dataset: str, data_dir: Path | str | None, cards: Sequence[Path | str]) -> DatasetFolder:
    """Open a dataset by the name of its card.

    Raises:
        UserError: no such card, or no such folder.
    """
    library = Library(*(Path(folder) for folder in cards))
    return open_dataset(library.dataset(dataset), None if data_dir is None else Path(data_dir))
