from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.readers import READERS
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import make_variant

XML = "scribble_annotation/pascal_2012"


def test_a_folder_in_voc_layout_is_read(small: Path, card: DatasetCard) -> None:
    dataset = open_dataset(card, small)
    assert dataset.strokes == "xml"
    assert dataset.ids("train")[:2] == ["train_000", "train_001"]
    assert dataset.ids("val") == ["val_000", "val_001"]
    annotation = dataset.annotation("train_000")
    assert annotation.width, annotation.height == dataset.mask("train_000").shape[::-1]
    assert annotation.strokes


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: shutil.rmtree(root), "No folder at"),
        (lambda root: shutil.rmtree(root / "JPEGImages"), "JPEGImages/ is missing"),
        (lambda root: [p.unlink() for p in (root / "JPEGImages").iterdir()], "the folder is empty"),
    ],
    ids=["no folder", "another folder", "an empty folder"],
)
def test_a_missing_or_empty_folder_says_what_to_do(
    small: Path, card: DatasetCard, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(small)
    with pytest.raises(UserError, match=message) as caught:
        open_dataset(card, small)
    assert "--data-dir" in str(caught.value)


def test_without_a_folder_the_message_names_the_command_that_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"No folder at data/voc2012/source\. Give --data-dir"):
        open_dataset(Library().dataset("voc2012"))


def test_lists_are_found_where_voc_keeps_them_and_may_name_files(small: Path, card: DatasetCard) -> None:
    lists = small / "ImageSets/SegmentationAug"
    (small / "ImageSets/Segmentation").mkdir()
    (lists / "train.txt").rename(small / "ImageSets/Segmentation/train.txt")
    assert len(open_dataset(card, small).ids("train")) == 12
    (lists / "train.txt").write_text("/JPEGImages/b.jpg /SegmentationClassAug/b.png\n\n/JPEGImages/a.jpg 1\n")
    assert open_dataset(card, small).ids("train") == ["b", "a"]


def test_without_lists_every_image_with_strokes_is_one_to_train_on(small: Path, card: DatasetCard) -> None:
    shutil.rmtree(small / "ImageSets")
    dataset = open_dataset(card, small)
    assert len(dataset.ids("train")) == 14
    with pytest.raises(UserError, match="No list of the val images"):
        dataset.ids("val")
    with pytest.raises(UserError, match="Unknown split 'test'"):
        dataset.ids("test")


@pytest.mark.parametrize(("text", "message"), [("\n", "lists no images"), ("a\nb\na\n", "lists a twice")])
def test_a_bad_list_is_refused(small: Path, card: DatasetCard, text: str, message: str) -> None:
    (small / "ImageSets/SegmentationAug/train.txt").write_text(text)
    with pytest.raises(UserError, match=message):
        open_dataset(card, small).ids("train")


def test_strokes_are_looked_for_in_order_of_what_a_person_drew(small: Path, card: DatasetCard) -> None:
    assert [READERS.get(n).order for n in ("xml", "png", "clicks", "masks")] == [0, 1, 2, 3]
    assert set(READERS.names()) == {"xml", "png", "clicks", "masks"}
    shutil.rmtree(small / XML)
    assert open_dataset(card, small).strokes == "masks"
    (small / card.layout.clicks).write_text('{"train_000": [{"x": 3.2, "y": 4.0, "cls": 1, "rank": 1}]}')
    assert open_dataset(card, small).strokes == "clicks"
    (small / card.layout.labels).mkdir()
    (small / card.layout.labels / "train_000.png").write_bytes(encode_labels(np.zeros((9, 9), np.uint8)))
    assert open_dataset(card, small).strokes == "png"
    assert open_dataset(card, small, "masks").strokes == "masks"
    with pytest.raises(UserError, match=r"--from xml: no XML strokes in scribble_annotation/pascal_2012/ in"):
        open_dataset(card, small, "xml")


def test_a_folder_without_any_strokes_says_what_was_looked_for(small: Path, card: DatasetCard) -> None:
    shutil.rmtree(small / XML)
    shutil.rmtree(small / "SegmentationClassAug")
    dataset = open_dataset(card, small)
    with pytest.raises(UserError, match=r"looked for XML strokes in .* or label PNGs in .* or clicks in"):
        dataset.annotation("train_000")


def test_clicks_are_single_points_of_two_files(small: Path, card: DatasetCard) -> None:
    objects = {
        "train_000": [{"x": 3.25, "y": 4, "cls": 2, "rank": 1}, {"x": 1198.0, "y": 4, "cls": 3, "rank": 2}]
    }
    background = {"train_000": [{"x": 0, "y": 96, "cls": 0}], "train_001": []}
    (small / card.layout.clicks).write_text(json.dumps(objects))
    (small / card.layout.background_clicks).write_text(json.dumps(background))
    dataset = open_dataset(card, small, "clicks")
    annotation, repairs = dataset.read("train_000")
    assert [(s.class_index, s.points.tolist()) for s in annotation.strokes] == [
        (0, [[0, 96]]),
        (2, [[3.25, 4]]),
    ]
    assert repairs == {"points outside the image, cut off": 1}
    assert dataset.annotation("train_001").strokes == ()
    (small / card.layout.clicks).write_text('{"train_000": [{"x": "a"}]}')
    with pytest.raises(UserError, match="no file of clicks"):
        dataset.annotation("train_000")


@pytest.mark.parametrize("strokes", ["png", "masks"])
def test_traced_and_synthesised_strokes_lie_on_their_class(
    small: Path, card: DatasetCard, strokes: str
) -> None:
    drawn = make_variant(open_dataset(card, small), "train", VariantSpec(), small / "drawn").root
    shutil.copytree(drawn / card.layout.labels, small / card.layout.labels)
    dataset = open_dataset(card, small, strokes)
    annotation, mask = dataset.annotation("train_003"), dataset.mask("train_003")
    assert {s.class_index for s in annotation.strokes} == set(np.unique(mask).tolist()) - {255}
    if strokes == "masks":
        for stroke in annotation.strokes:
            x, y = np.floor(stroke.points + 0.5).astype(int).T
            assert (mask[y, x] == stroke.class_index).all()


@pytest.mark.parametrize("strokes", ["png", "masks"])
def test_labels_of_another_dataset_are_refused(small: Path, card: DatasetCard, strokes: str) -> None:
    folder = {"png": card.layout.labels, "masks": card.layout.masks}[strokes]
    (small / folder).mkdir(exist_ok=True)
    size = open_dataset(card, small).mask("train_000").shape
    (small / folder / "train_000.png").write_bytes(encode_labels(np.full(size, 38, dtype=np.uint8)))
    with pytest.raises(UserError, match="holds the label 38, which toy lacks"):
        open_dataset(card, small, strokes).annotation("train_000")
    (small / folder / "train_000.png").write_bytes(encode_labels(np.zeros((5, 6), dtype=np.uint8)))
    with pytest.raises(UserError, match="has 6 x 5 pixels, but the photograph has"):
        open_dataset(card, small, strokes).annotation("train_000")
