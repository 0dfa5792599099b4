"""A trained cell on one's own pictures: as evaluation predicts, and everything under its right name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import Base

from scribblebench.cli.main import main
from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.grid.attempt import Job, attempt
from scribblebench.store.record import Record, slug_of
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.predict import predictor
from scribblebench.training.predictions import predictions_folders


@pytest.fixture
def trained(
    make_cell: Any, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Cell, Record]:
    """A cell with kept predictions, and four of its val photographs in ``pictures``, one in a folder."""
    monkeypatch.chdir(tmp_path)
    crf = {"part": "whole_image", "scales": [1.0, 0.5], "crf": {"preset": "urss"}}
    cell = make_cell("rw", epochs=2, evaluation=crf)
    ended = attempt(Job(cell, replace(places, keep_predictions=True), frozenset()), lambda event: None)
    for index, image in enumerate(sorted(places.dataset.ids("val"))[:4]):
        where = tmp_path / "pictures" / ("" if index else "far/away")
        where.mkdir(parents=True, exist_ok=True)
        shutil.copy(places.dataset.image_path(image), where / f"{image}.png")
    return cell, ended.record


def predict(*arguments: str) -> Path:
    main(["predict", *arguments, "--runs", "runs", "--device", "cpu", "--out", "pictures/seen"])
    return Path("pictures/seen")


@pytest.mark.parametrize("crf", [False, True])
def test_labels_are_those_of_evaluation(trained: tuple[Cell, Record], places: Places, crf: bool) -> None:
    cell, record = trained
    out = predict("rw@shrink-0.5#0", "pictures", *(["--crf", "urss"] if crf else []))
    labels = {path.relative_to(out / "labels"): path for path in (out / "labels").rglob("*.png")}
    assert sorted(path.parent.as_posix() for path in labels) == [".", ".", ".", "far/away"]
    told = json.loads((out / "shares.json").read_text(encoding="utf-8"))
    assert (told["cell"], told["crf"]) == (record.slug, "urss" if crf else "")
    kept = predictions_folders(places.runs, cell.slug)[crf]
    for path, file in labels.items():
        found, known = (np.asarray(Image.open(p)) for p in (file, kept / path.name))
        assert (found == known).mean() > 0.999  # another number of images at once may round otherwise
        image = told["images"][path.with_suffix("").as_posix()]
        assert (image["height"], image["width"]) == found.shape
        assert image["shares"]["fish"] == pytest.approx((found == 1).mean(), abs=1e-6)
        shown = np.asarray(Image.open(out / "overlays" / path))
        photograph = np.asarray(Image.open(image["file"]).convert("RGB"))
        assert np.array_equal(shown[found == 0], photograph[found == 0])
    assert len(told["images"]) == 4
    assert told["colours"]["fish"] == "#800000"
    predict("rw", "pictures")  # its own results are no pictures to look at
    assert len(list((out / "labels").rglob("*.png"))) == 4


def test_a_picture_that_its_camera_turned(trained: Any) -> None:
    exif = Image.Exif()
    exif[Base.Orientation] = 6
    Image.new("RGB", (90, 60), (20, 90, 140)).save("turned.JPG", exif=exif)
    out = predict("rw", "turned.JPG")
    for kind in ("labels", "overlays"):
        with Image.open(out / kind / "turned.png") as picture:
            assert picture.size == (60, 90)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("rv@shrink-0.5 pictures", "no finished cell 'rv@shrink-0.5'. Did you mean 'rw@shrink-0.5#0'?"),
        ("rw nowhere.jpg", "No file or folder nowhere.jpg"),
        ("rw empty", "empty holds no photographs"),
        ("rw text.png", "text.png: cannot be read as a picture"),
        ("rw pictures a b", "a/one.png and b/one.png would both be one"),
        ("rw pictures --crf deplab", "--crf: Unknown CRF preset 'deplab'. Did you mean 'deeplab'?"),
        ("rw", "Missing argument 'IMAGES...'. See 'scribblebench predict --help'"),
    ],
)
def test_bad_input_is_one_clear_line(
    trained: Any, capsys: pytest.CaptureFixture[str], arguments: str, message: str
) -> None:
    Path("empty").mkdir()
    Path("text.png").write_text("no picture", encoding="utf-8")
    for folder in ("a", "b"):
        Path(folder).mkdir()
        shutil.copy(next(Path("pictures").glob("*.png")), Path(folder, "one.png"))
    with pytest.raises(SystemExit) as ended:
        predict(*arguments.split())
    text = capsys.readouterr().err
    assert (ended.value.code, text.count("\n")) == (2, 1)
    assert message in text
    assert not Path("pictures/seen").exists()


def test_a_network_that_would_predict_otherwise_is_refused(
    trained: tuple[Cell, Record], places: Places
) -> None:
    record = trained[1]
    identity = msgspec.to_builtins(record.identity)
    identity["training"]["rules"]["head random_walk"] = 99
    cell = fingerprint(identity)
    slug = slug_of("toy", "rw", "shrink", 0.5, 0, cell)
    changed = msgspec.structs.replace(record, identity=identity, cell=cell, slug=slug)
    with pytest.raises(UserError, match="was trained when head random_walk had another rule"):
        predictor(changed, places.runs, places.device)
    with pytest.raises(UserError, match=r"No weights of .* or run the cell again with --rerun all"):
        predictor(record, places.runs / "elsewhere", places.device)
