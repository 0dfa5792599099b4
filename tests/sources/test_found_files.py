"""Which files are a dataset's: suffixes, folders, what systems leave behind, and splits without a list."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.pictures.photographs import read_photograph
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.layouts import LAYOUTS
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import make_variant
from scribblebench.sources.verify import check_files, check_source

IMAGES = "JPEGImages"
IMAGE = "train_000"


def moved(root: Path, folder: str, name: str) -> Path:
    (old,) = (root / folder).glob(f"{IMAGE}.*")
    return old.rename(root / folder / name)


@pytest.mark.parametrize("name", ["train_000.PNG", "train_000.webp", "train_000.JPEG", "train_000.tif"])
def test_a_photograph_under_another_suffix_is_found(small: Path, card: DatasetCard, name: str) -> None:
    path = moved(small, IMAGES, name)
    assert open_dataset(card, small).image_path(IMAGE) == path


def test_the_cards_suffix_is_preferred_and_two_others_are_refused(small: Path, card: DatasetCard) -> None:
    dataset = open_dataset(card, small)
    own = dataset.image_path(IMAGE)
    shutil.copy(own, own.with_suffix(".bmp"))
    assert open_dataset(card, small).image_path(IMAGE) == own
    own.rename(own.with_suffix(".TIFF"))
    with pytest.raises(UserError, match=r"holds train_000\.TIFF, train_000\.bmp: which is train_000\?"):
        dataset.image_path(IMAGE)


@pytest.mark.parametrize("name", ["train_000.heic", "Train_000.png"])
def test_a_photograph_that_lies_there_otherwise_is_named(small: Path, card: DatasetCard, name: str) -> None:
    moved(small, IMAGES, name)
    with pytest.raises(UserError, match=rf"train_000\.png is missing, but {name} lies there"):
        open_dataset(card, small).image_path(IMAGE)


def test_a_mask_of_another_kind_is_named(small: Path, card: DatasetCard) -> None:
    moved(small, card.layout.masks, "train_000.tif")
    with pytest.raises(UserError, match=r"train_000\.png is missing, but train_000\.tif lies there"):
        open_dataset(card, small).mask(IMAGE)


def test_folders_below_are_part_of_the_ids(small: Path, card: DatasetCard, tmp_path: Path) -> None:
    names = ["north/train_000", "south/train_001"]
    for name in names:
        for folder, suffix in ((IMAGES, ".png"), (card.layout.masks, ".png"), (card.layout.strokes, ".xml")):
            (small / folder / name).parent.mkdir(exist_ok=True)
            (small / folder / f"{name[6:]}{suffix}").rename(small / folder / f"{name}{suffix}")
    (small / card.layout.lists / "train.txt").write_text(f"{names[0]}\n{names[1]}.png\ntrain_002\n")
    dataset = open_dataset(card, small)
    variant = make_variant(dataset, "train", VariantSpec.of("drop", 0.5), tmp_path / "v")
    assert variant.ids == [*names, "train_002"]
    assert check_files(variant, card) == check_source(variant, dataset) == []
    (variant.root / card.layout.labels / "north/more.png").touch()
    assert check_files(variant, card) == [f"{card.layout.labels}/north/more.png: not in the manifest"]
    (small / card.layout.lists / "train.txt").unlink()
    assert dataset.ids("train") == [*names, *(f"train_{i:03d}" for i in range(2, 12))]


def test_what_systems_leave_behind_is_passed_over(small: Path, card: DatasetCard, tmp_path: Path) -> None:
    whole = make_variant(open_dataset(card, small), "train", VariantSpec(), tmp_path / "whole").fingerprint
    for path in [path for path in small.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
        (path.parent / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
        (path.parent / "Thumbs.db").write_bytes(b"\xd0\xcf")
    (small / card.layout.lists / "train.txt").unlink()
    variant = make_variant(open_dataset(card, small), "train", VariantSpec(), tmp_path / "twins")
    assert variant.fingerprint == whole
    for path in list((variant.root / card.layout.labels).iterdir()):
        path.with_name(f"._{path.name}").touch()
    assert check_files(variant, card) == []
    shutil.rmtree(small / IMAGES)
    (small / IMAGES).mkdir()
    (small / IMAGES / ".DS_Store").touch()
    with pytest.raises(UserError, match="the folder is empty"):
        open_dataset(card, small)


def test_without_a_train_list_the_images_of_other_lists_are_left_out(small: Path, card: DatasetCard) -> None:
    lists = small / card.layout.lists
    (lists / "train.txt").unlink()
    dataset = open_dataset(card, small)
    assert dataset.ids("train") == [f"train_{i:03d}" for i in range(12)]
    assert dataset.notices() == [
        "ImageSets/SegmentationAug/train.txt is missing: "
        "every image that has strokes is one to train on, but those of val"
    ]
    (lists / "val.txt").write_text("".join(f"{p.stem}\n" for p in (small / IMAGES).iterdir()))
    with pytest.raises(UserError, match="No images to train on"):
        dataset.ids("train")


def test_ids_on_two_lists_are_noticed(small: Path, card: DatasetCard) -> None:
    dataset = open_dataset(card, small)
    assert dataset.notices() == []
    (small / card.layout.lists / "val.txt").write_text("val_000\ntrain_003.png\ntrain_001\n")
    assert dataset.notices() == ["2 ids are in train and val, such as train_001"]


def test_ids_of_clicks_cannot_lead_out_of_the_folder(small: Path, card: DatasetCard, tmp_path: Path) -> None:
    shutil.rmtree(small / "ImageSets")
    (small / card.layout.clicks).write_text(json.dumps({"../../../gone": [{"x": 1, "y": 1, "cls": 1}]}))
    dataset = open_dataset(card, small, "clicks")
    with pytest.raises(UserError, match=r"whats_the_point\.json: '\.\./\.\./\.\./gone' cannot be a name"):
        make_variant(dataset, "train", VariantSpec(), tmp_path / "a/b/c")
    assert not list(tmp_path.rglob("gone*"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"train_000": [{"x": 1e300, "y": 4, "cls": 1}]}', "has a click at 1e\\+300, 4"),
        ('{"train_000": [{"x": NaN, "y": 4, "cls": 1}]}', "no file of clicks"),
        ('{"train_000": [{"x": 1e999, "y": 4, "cls": 1}]}', "no file of clicks"),
        (
            '{"train_000": [{"x": 1, "y": 4, "cls": 99999999999999999999}]}',
            "a click of class 9+,",
        ),
        ('{"train_000": 3}', "no file of clicks"),
        (
            '{"train_000": [{"x": 1, "y": 4, "cls": 1, "z": ' + "[" * 9999 + "]" * 9999 + "}]}",
            "no file of clicks",
        ),
        ('{"train_000": "caf\udce9"}', "line 1: not UTF-8"),
    ],
)
def test_absurd_clicks_are_one_line(small: Path, card: DatasetCard, text: str, message: str) -> None:
    (small / card.layout.clicks).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=rf"voc_whats_the_point\.json.*{message}") as caught:
        open_dataset(card, small, "clicks").annotation(IMAGE)
    assert "\n" not in str(caught.value)


def test_another_dataset_is_not_taken_for_the_toy(small: Path, card: DatasetCard) -> None:
    (small / "toy.json").unlink()
    with pytest.raises(UserError, match=r"not the generated toy dataset .*--dataset voc2012"):
        open_dataset(card, small)
    voc = open_dataset(Library().dataset("voc2012"), small)
    with pytest.raises(UserError, match=r"has the unknown tag '.*choose that card with --dataset"):
        voc.annotation(IMAGE)


def turned(path: Path, orientation: int) -> None:
    """Store a photograph as a camera that was held otherwise does, with the note that turns it back."""
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    with Image.open(path) as picture:
        picture.transpose(back).save(path, exif=exif)


@pytest.mark.parametrize("orientation", [3, 6])
def test_strokes_lie_on_the_photograph_as_it_is_seen(
    small: Path, card: DatasetCard, orientation: int, tmp_path: Path
) -> None:
    dataset = open_dataset(card, small)
    seen = read_photograph(dataset.image_path(IMAGE))
    turned(dataset.image_path(IMAGE), orientation)
    np.testing.assert_array_equal(read_photograph(dataset.image_path(IMAGE)), seen)
    variant = make_variant(dataset, "train", VariantSpec(), tmp_path / "v")
    with pytest.raises(UserError, match=r"train_000\.png is turned by its EXIF orientation, which this code"):
        LAYOUTS.get("rloss")().complete(variant, dataset)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_clicks_are_read_as_other_systems_save_them(small: Path, card: DatasetCard, encoding: str) -> None:
    text = json.dumps({"train_000": [{"x": 3, "y": 4, "cls": 1}]})
    (small / card.layout.clicks).write_text(text, encoding=encoding)
    (stroke,) = open_dataset(card, small, "clicks").annotation("train_000").strokes
    assert stroke.points.tolist() == [[3, 4]]


@pytest.mark.parametrize("kind", ["folder", "link"])
def test_a_list_that_is_no_file_is_not_taken_for_a_missing_one(
    card: DatasetCard, small: Path, kind: str
) -> None:
    path = small / "ImageSets/SegmentationAug/train.txt"
    path.unlink()
    path.mkdir() if kind == "folder" else path.symlink_to("nowhere.txt")
    with pytest.raises(UserError, match=r"train\.txt is no file"):
        open_dataset(card, small).ids("train")


def test_a_mask_that_is_a_pipe_is_named_and_not_waited_for(card: DatasetCard, small: Path) -> None:
    path = small / "SegmentationClassAug/val_000.png"
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UserError, match=r"val_000\.png is a folder or a device"):
        open_dataset(card, small).mask("val_000")
