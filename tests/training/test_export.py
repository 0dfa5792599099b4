"""Exported networks give the network's labels, run by other programs, prepared by their description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from scribblebench.cli.main import main
from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256
from scribblebench.grid.attempt import Job, attempt
from scribblebench.nn.heads.plain import PlainHead
from scribblebench.pictures.photographs import read_photograph
from scribblebench.store.record import Record
from scribblebench.training import export as exporting
from scribblebench.training.data import Places
from scribblebench.training.predict import predictor

Logits = NDArray[np.float32]
# Rounding may decide between two classes that are equally probable.
MAY_DIFFER = 1e-4


def train(make_cell: Any, places: Places, method: str = "rw", **settings: Any) -> Record:
    return attempt(
        Job(make_cell(method, epochs=1, **settings), places, frozenset()), lambda event: None
    ).record


def run(path: Path, images: Logits) -> Logits:
    """Run an exported file with a program that is not ours."""
    if path.suffix == ".pt2":
        given: Logits = torch.export.load(path).module()(torch.from_numpy(images)).numpy()
        return given
    runtime = pytest.importorskip("onnxruntime", reason="runs ONNX: pip install 'scribblebench[export]'")
    answer: Logits = runtime.InferenceSession(path).run(["logits"], {"images": images})[0]
    return answer


def labels_by_description(path: Path, photograph: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Follow the words of the description, with numpy."""
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    given = told["input"]
    images = ((photograph / 255 - given["mean"]) / given["std"]).astype(np.float32)
    height, width = photograph.shape[:2]
    sides = [
        want if isinstance(want, int) else -(-(side - 1) // given["stride"]) * given["stride"] + 1
        for want, side in zip(given["shape"][2:], (height, width), strict=True)
    ]
    images = np.pad(images, ((0, sides[0] - height), (0, sides[1] - width), (0, 0)))
    logits = run(path, np.ascontiguousarray(images.transpose(2, 0, 1)[None]))
    assert logits.shape == (1, len(told["output"]["classes"]), *sides)
    return logits[0, :, :height, :width].argmax(axis=0).astype(np.uint8)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # of the exporters
@pytest.mark.parametrize("kind", ["onnx", "torch"])
def test_labels_are_those_of_the_network(make_cell: Any, places: Places, tmp_path: Path, kind: str) -> None:
    if kind == "onnx" and not exporting.has_onnx():
        pytest.skip("no ONNX here: pip install 'scribblebench[export]'")
    record = train(make_cell, places)
    main(["export", "rw", "--format", kind, "--runs", str(places.runs), "--out", str(tmp_path / "out")])
    path = tmp_path / "out" / f"{record.slug}{exporting.ENDINGS[kind]}"
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert (told["cell"]["name"], told["cell"]["id"]) == ("rw@shrink-0.5#0", record.cell)
    assert told["file"]["sha256"] == file_sha256(path)
    assert (told["output"]["classes"], told["left_out"]) == (list(record.classes), [])
    predict, pixels, different, seen = predictor(record, places.runs, torch.device("cpu")), 0, 0, set[int]()
    for index, image in enumerate(sorted(places.dataset.ids("val"))):
        whole = read_photograph(places.dataset.image_path(image))
        photograph = np.ascontiguousarray(whole[index:, : whole.shape[1] - 2 * index])  # a size each
        expected = predict(photograph)
        pixels += expected.size
        different += int((labels_by_description(path, photograph) != expected).sum())
        seen |= set(expected.ravel().tolist())
    assert len(seen) > 1
    assert different <= MAY_DIFFER * pixels


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_pictures_of_one_size_and_what_is_left_out(
    make_cell: Any, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scales = {"part": "whole_image", "scales": [1.0, 0.5], "crf": {"preset": "urss"}}
    record = train(make_cell, places, "deeplabv2", evaluation=scales)
    name, out = str(places.runs / f"{record.slug}.json"), tmp_path / "out"
    main(["export", name, "--size", "75x60", "--format", "torch", "--out", str(out)])
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert "scales=(1.0, 0.5)" in said[0]
    assert "Not in the file: the CRF" in said[1]
    path = out / f"{record.slug}.pt2"
    told = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert told["input"]["shape"] == [1, 3, 81, 65]
    assert labels_by_description(path, np.zeros((75, 60, 3), np.uint8)).shape == (75, 60)


def test_what_cannot_be_exported_is_one_line(
    make_cell: Any, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = train(make_cell, places, "baseline")

    def by_value(head: PlainHead, after: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = head.classifier(after)
        return logits if float(logits.max()) > 0 else -logits

    monkeypatch.setattr(PlainHead, "classify", by_value)
    with pytest.raises(
        UserError, match=r"cannot be written as torch with free height .*: give --size"
    ) as said:
        exporting.export(record, places.runs, tmp_path / "out", "torch")
    assert "\n" not in str(said.value)
    monkeypatch.setattr(exporting, "_PACKAGES", ("no_such_package",))
    with pytest.raises(UserError, match=r"pip install 'scribblebench\[export\]'"):
        exporting.export(record, places.runs, tmp_path / "out", "onnx")
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        main(["export", "baseline", "--size", "75by60", "--runs", str(places.runs)])
