"""Figures 4, 6, 7 and 8: the strokes, scores and predictions that are drawn are those that were asked for."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from report.conftest import Make
from scribblebench.cli.main import main
from scribblebench.core.library import Library
from scribblebench.report import qualitative
from scribblebench.report.collect import NONE, Group, Variant, gather
from scribblebench.report.examples import Shown, image_scores, kept
from scribblebench.report.figures.coloured import objects
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources.folder import DatasetFolder, open_dataset

RATES = (("none", 0.0), ("shrink", 0.5), ("shrink", 1.0))
SIZE = (30, 40)
GREY, IGNORE = 100, 255


@pytest.fixture
def runs(make: Make, tmp_path: Path, mini: Path) -> Path:
    """Two methods at three rates; the predictions of method number k are all class k."""
    images = sorted(path.stem for path in (mini / "SegmentationClassAug").glob("val_*.png"))
    for number, method in enumerate(("baseline", "rw"), start=1):
        for variant in RATES:
            folder = tmp_path / "runs/predictions" / make(method, variant, images=len(images)).slug
            folder.mkdir(parents=True)
            for at in range(len(images)):
                flat = encode_labels(np.full(SIZE, number, np.uint8))
                (folder / f"toy_{at:04d}.png").write_bytes(flat)
    return tmp_path / "runs"


@pytest.fixture
def flat(tmp_path: Path, runs: Path) -> DatasetFolder:
    """Grey photographs without any object."""
    card, root = Library().dataset("toy"), tmp_path / "flat"
    for folder in (card.layout.images, card.layout.masks):
        (root / folder).mkdir(parents=True)
    for file in next((runs / "predictions").iterdir()).iterdir():
        photograph = Image.fromarray(np.full((*SIZE, 3), GREY, np.uint8))
        photograph.save(root / card.layout.images / f"{file.stem}{card.layout.image_suffix}")
        (root / card.layout.masks / file.name).write_bytes(encode_labels(np.zeros(SIZE, np.uint8)))
    return DatasetFolder(card, root, "")


def only(runs: Path) -> Group:
    (group,) = gather([runs]).records
    return group


def found(group: Group, kind: str, runs: Path) -> Shown:
    shown = kept(group, kind, [runs])
    assert shown is not None
    return shown


def painted(figure: dict[str, bytes], label: int) -> int:
    """Count the pixels of a figure in the colour of a class over the grey."""
    pixels = np.asarray(Image.open(io.BytesIO(figure["png"])).convert("RGB")).astype(int)
    over = objects(np.full((1, 1, 3), GREY, np.uint8), np.full((1, 1), label, np.uint8), IGNORE)[0, 0]
    return int((np.abs(pixels - over).max(axis=2) <= 1).sum())


def test_methods_beside_each_other_and_one_at_every_rate(runs: Path, flat: DatasetFolder) -> None:
    group = only(runs)
    beside = qualitative.side_by_side(found(group, NONE.kind, runs), flat)
    assert painted(beside, 1) > 10_000
    assert painted(beside, 2) == pytest.approx(painted(beside, 1), rel=0.02)
    one = qualitative.by_rate(found(group, "shrink", runs), flat, ["rw"])
    assert painted(one, 2) > 10_000
    assert painted(one, 1) < 0.01 * painted(one, 2)  # its patch in the key


def test_scores_are_those_of_the_image_and_cell(
    runs: Path, flat: DatasetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(qualitative, "predictions_figure", lambda *given: drawn.append(given) or {})
    group = only(runs)
    shown = found(group, "shrink", runs)
    qualitative.by_rate(shown, flat, ["rw"])
    ((strips, _, columns, *_),) = drawn
    assert columns == ["undegraded", "shrink 0.5", "shrink 1"]
    for strip, (_, index) in zip(strips, shown.chosen(), strict=True):
        for (_, score), variant in zip(strip.predictions, (NONE, Variant("shrink", 0.5)), strict=False):
            (cell,) = group.at("rw", variant)
            assert score == pytest.approx(100 * image_scores(cell)[index])


def test_strokes_of_every_rate_with_the_scores_below(
    runs: Path, mini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(qualitative, "figure4", lambda *given: drawn.append(given) or {})
    source, group = open_dataset(Library().dataset("toy"), mini), only(runs)
    image = source.ids("train")[0]
    qualitative.samples(group, "shrink", source, [image])
    (((sample,), columns, scores, *_),) = drawn
    whole, _, point = sample.annotations
    assert len(columns) == len(sample.annotations) == 3
    assert [len(stroke.points) for stroke in point.strokes] == [1] * len(whole.strokes)
    assert max(len(stroke.points) for stroke in whole.strokes) > 1
    for method, title in group.methods.items():
        means = [group.at(method, Variant(*variant))[0].record.miou for variant in RATES]
        assert scores[title] == pytest.approx([100 * (mean or 0) for mean in means])


def test_what_lacks_predictions_is_said(
    runs: Path,
    mini: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data/toy").mkdir(parents=True)
    (tmp_path / "data/toy/source").symlink_to(mini)
    (runs / "predictions").rename(runs / "moved")
    main(["panels", "--runs", str(runs), "--out", str(tmp_path / "out")])
    drawn = {path.name for path in (tmp_path / "out").iterdir()}
    assert drawn == {"figure4_shrink.png", "figure4_shrink.svg"}
    said = capsys.readouterr().err.splitlines()
    assert ["--keep-predictions" in line for line in said] == [True, True]
    (runs / "moved").rename(runs / "predictions")
    with pytest.raises(SystemExit):
        main(["panels", "--runs", str(runs), "--out", str(tmp_path / "out"), "--methods", "kcl"])
    assert "kcl" in capsys.readouterr().err
