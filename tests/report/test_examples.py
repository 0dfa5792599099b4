"""Pictures of results on the page: which images, and what of them."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from report.conftest import Make
from scribblebench.core.library import Library
from scribblebench.report.collect import Group, gather
from scribblebench.report.examples import examples, kept
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources.folder import DatasetFolder
from scribblebench.store.confusion import PerImageConfusion, confusion_path, iou

IMAGES = 5
RATES = (("none", 0.0), ("shrink", 0.5), ("shrink", 1.0))


@pytest.fixture
def runs(make: Make, tmp_path: Path) -> Path:
    """Two methods at three rates; the predictions of method number k are all class k."""
    for number, method in enumerate(("baseline", "rw"), start=1):
        for variant in RATES:
            slug = make(method, variant, images=IMAGES).slug
            folder = tmp_path / "runs" / "predictions" / slug
            folder.mkdir(parents=True)
            for image in ids():
                (folder / f"{image}.png").write_bytes(encode_labels(np.full((30, 40), number, np.uint8)))
    return tmp_path / "runs"


@pytest.fixture
def source(tmp_path: Path) -> DatasetFolder:
    root, layout = tmp_path / "toy", Library().dataset("toy").layout
    for folder in (layout.images, layout.masks):
        (root / folder).mkdir(parents=True)
    for image in ids():
        grey = Image.fromarray(np.full((30, 40, 3), 100, np.uint8))
        grey.save(root / layout.images / f"{image}{layout.image_suffix}")
        (root / layout.masks / f"{image}.png").write_bytes(encode_labels(np.zeros((30, 40), np.uint8)))
    return DatasetFolder(Library().dataset("toy"), root, "")


def ids() -> list[str]:
    return [f"toy_{i:04d}" for i in range(IMAGES)]


def only(runs: Path) -> Group:
    (group,) = gather([runs]).records
    return group


def test_the_images_are_those_of_the_rule(runs: Path, source: DatasetFolder) -> None:
    group = only(runs)
    each = {}
    for method in ("baseline", "rw"):
        (cell,) = group.at(method, group.columns("shrink")[-1])
        matrices = PerImageConfusion.load(confusion_path(runs, cell.record.slug)).matrices
        each[method] = np.array([np.nanmean(iou(matrix)) for matrix in matrices])
    order = np.argsort(each["rw"] - each["baseline"])
    ((title, html),) = examples(group, [runs], source)
    assert title == "Predictions, shrink"
    shown = list(dict.fromkeys(re.findall(r"(toy_\d{4})\. (\w+) IoU above", html)))
    places = {"Highest": -1, "Median": 2, "Lowest": 0}
    assert shown == [(f"toy_{order[at]:04d}", word) for word, at in places.items()]


def test_pictures_are_the_predictions_over_the_photograph(runs: Path, source: DatasetFolder) -> None:
    ((_, html),) = examples(only(runs), [runs], source)
    assert html.count("<img") == 3 * (2 + len(RATES) * 2)
    found = re.findall(r'data:image/jpeg;base64,([^"]+)"', html)
    means = [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))).mean((0, 1)) for data in found]
    # Bare, the red of class 1 and the green of class 2, each at 0.6 over a grey of 100.
    for colour, times in (((100, 100, 100), 6), ((117, 40, 40), 9), ((40, 117, 40), 9)):
        assert sum(np.abs(mean - colour).max() < 4 for mean in means) == times


def test_nothing_is_drawn_where_nothing_was_kept(make: Make, tmp_path: Path) -> None:
    for variant in RATES:
        make("baseline", variant, images=IMAGES)
    assert kept(only(tmp_path / "runs"), "shrink", [tmp_path / "runs"]) is None
