"""Predictions of the validation images, kept as label maps where somebody asks for them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scribblebench.core.files import building, write_atomic
from scribblebench.scribbles.png import encode_labels
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.evaluate import Keep, Labels, keep_nothing
from scribblebench.training.evaluation_parts import make_crf

FOLDER = "predictions"


def predictions_folders(runs: Path, slug: str) -> dict[bool, Path]:
    """Return where a cell's predictions are: whether a CRF refined them -> the folder."""
    return {refined: runs / FOLDER / f"{slug}{'.crf' * refined}" for refined in (False, True)}


def lacks_predictions(cell: Cell, places: Places) -> bool:
    """Tell whether predictions are asked for, and not all of them are there."""
    if not places.keep_predictions:
        return False
    folders, ids = _folders(cell, places).values(), places.dataset.ids("val")
    return not all((folder / f"{image}.png").is_file() for folder in folders for image in ids)


@contextmanager
def keeping(cell: Cell, places: Places) -> Iterator[Keep]:
    """Keep what is predicted in the block, where that is asked for: of all images, or of none.

    Raises:
        UserError: the folder cannot be written.
    """
    if not places.keep_predictions:
        yield keep_nothing
        return
    with ExitStack() as stack:
        new = {
            refined: stack.enter_context(_replaced(folder))
            for refined, folder in _folders(cell, places).items()
        }

        def keep(image: str, labels: Labels, refined: bool) -> None:
            write_atomic(new[refined] / f"{image}.png", encode_labels(labels), durable=False)

        yield keep


def forget_predictions(runs: Path, slug: str) -> None:
    """Remove a cell's predictions."""
    for folder in predictions_folders(runs, slug).values():
        shutil.rmtree(folder, ignore_errors=True)


def _folders(cell: Cell, places: Places) -> dict[bool, Path]:
    both = predictions_folders(places.runs, cell.slug)
    return both if make_crf(cell.protocol) else {False: both[False]}


@contextmanager
def _replaced(folder: Path) -> Iterator[Path]:
    with building(folder) as new:
        yield new
        shutil.rmtree(folder, ignore_errors=True)
