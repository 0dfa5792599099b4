"""Predictions that are kept: those that the record counts, of finished cells too, and all or none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from scribblebench.grid.attempt import Ended, Job, attempt
from scribblebench.grid.execute import execute
from scribblebench.grid.executors.local import Local
from scribblebench.grid.how import How
from scribblebench.grid.standing import forget
from scribblebench.pictures.labels import is_plain
from scribblebench.store.confusion import confusion, read_confusion
from scribblebench.store.record import read_record, record_path
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.predictions import lacks_predictions, predictions_folders
from scribblebench.training.train import Checkpoints

CRF = {"part": "whole_image", "crf": {"preset": "urss", "iterations": 1}}


def run(cell: Cell, places: Places) -> Ended:
    return attempt(Job(cell, places, frozenset()), lambda event: None)


def counted(folder: Path, places: Places) -> np.ndarray:
    """Count a folder of PNGs against the masks."""
    ids = sorted(places.dataset.ids("val"))
    assert sorted(path.stem for path in folder.iterdir()) == ids
    return np.stack(
        [confusion(np.asarray(Image.open(folder / f"{i}.png")), places.dataset.mask(i), 6, 255) for i in ids]
    )


def test_of_a_finished_cell_without_and_with_the_crf(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1, evaluation=CRF)
    record = run(cell, places).record
    assert not (places.runs / "predictions").exists()
    written = record_path(places.runs, cell.slug).read_bytes()
    keeping = replace(places, keep_predictions=True)
    assert lacks_predictions(cell, keeping)
    again = run(cell, keeping)
    assert (again.record.status, again.ours) == ("done", False)
    assert record_path(places.runs, cell.slug).read_bytes() == written
    folders, scores = predictions_folders(places.runs, cell.slug), read_confusion(places.runs, record)
    assert np.array_equal(counted(folders[False], places), scores.matrices)
    assert scores.crf is not None
    assert np.array_equal(counted(folders[True], places), scores.crf.matrices)
    victim = next(folders[True].iterdir())
    assert is_plain(victim)  # 8 bits, a palette: every program reads it alike
    victim.unlink()
    assert lacks_predictions(cell, keeping)
    run(cell, keeping)
    assert victim.is_file()
    assert not lacks_predictions(cell, keeping)
    forget(cell, places, set())
    assert not any((places.runs / "predictions").iterdir())


def test_without_weights_the_record_stays_and_nothing_is_trained(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", epochs=1)
    keeping = replace(places, keep_predictions=True)
    ended = run(cell, keeping)  # kept as it is scored
    assert ended.ours
    folder = predictions_folders(places.runs, cell.slug)[False]
    assert np.array_equal(counted(folder, places), read_confusion(places.runs, ended.record).matrices)
    Checkpoints(places.runs / "checkpoints", cell).final.unlink()
    next(folder.iterdir()).unlink()
    told = run(cell, keeping).record
    assert (told.status, told.miou) == ("failed", None)
    assert told.reason.startswith(f"No weights of {cell.slug}")
    assert read_record(record_path(places.runs, cell.slug)).status == "done"
    assert [path.name for path in folder.parent.iterdir()] == [cell.slug]  # nothing half made beside it


@pytest.mark.parametrize("how", ["once", "again"])
def test_execute_takes_up_cells_that_lack_predictions(make_cell: Any, places: Places, how: str) -> None:
    from io import StringIO

    from rich.console import Console

    from scribblebench.grid.display import Display

    cell, keeping = make_cell("baseline", epochs=1), replace(places, keep_predictions=True)
    run(cell, places if how == "once" else keeping)
    text = StringIO()
    with Display(1, Console(file=text, width=200)) as display:
        ended = execute([cell], keeping, How(Local(1)), display)
    assert [end.ours for end in ended] == ([False] if how == "once" else [])
    assert ("done before" in text.getvalue()) is (how == "again")
    assert not lacks_predictions(cell, keeping)
