"""Strokes that do not fit their pictures are told before anything is trained; those that do are not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard
from scribblebench.core.library import Library
from scribblebench.sources.checks import check
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.survey import survey

WIDTH, HEIGHT, SIDE = 40, 30, 9
CLASSES = ("ground", "tile", "disc")
STROKES = "scribble_annotation/pascal_2012"


def card(**fields: object) -> DatasetCard:
    toy = Library().dataset("toy")
    given = {name: getattr(toy, name) for name in toy.__struct_fields__}
    return DatasetCard(**{**given, "source": "voc", "classes": CLASSES, "tags": {}, **fields})  # type: ignore[arg-type]


def stroke(tag: str, left: int, top: int) -> str:
    points = "".join(f"<point><X>{left + 2 + i}</X><Y>{top + 4}</Y></point>" for i in range(0, 6, 2))
    return f"<polygon><tag>{tag}</tag>{points}</polygon>"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six training and two validation images: a tile and a disc on the ground, elsewhere on each."""
    for number in range(8):
        split = "train" if number < 6 else "val"
        image, left, top = f"{split}_{number}", 2 + 3 * (number % 3), 1 + 4 * (number % 5)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[top : top + SIDE, left : left + SIDE] = 1
        mask[top : top + SIDE, left + 18 : left + 18 + SIDE] = 2
        strokes = stroke("ground", 30, 0) + stroke("tile", left, top) + stroke("disc", left + 18, top)
        size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
        text = f"<annotation><filename>{image}.png</filename>{size}{strokes}</annotation>"
        photograph = np.dstack([mask * 90, mask * 40 + number, np.full_like(mask, 70)])
        for folder, data in (("JPEGImages", photograph), ("SegmentationClassAug", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(data).save(tmp_path / folder / f"{image}.png")
        path = tmp_path / STROKES / f"{image}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        listed = tmp_path / f"ImageSets/SegmentationAug/{split}.txt"
        listed.parent.mkdir(parents=True, exist_ok=True)
        with listed.open("a", encoding="utf-8") as file:
            file.write(f"{image}\n")
    return tmp_path


def warnings(root: Path, dataset_card: DatasetCard | None = None) -> tuple[str, ...]:
    dataset = open_dataset(dataset_card or card(), root)
    train = survey(dataset, "train", strokes=True, masks=False)
    return check(dataset, train, survey(dataset, "val", strokes=False, masks=True))


def rewrite(root: Path, pattern: str, new: str, files: str = "train_*.xml") -> None:
    for path in (root / STROKES).glob(files):
        text = re.sub(pattern, new, path.read_text(encoding="utf-8"))
        path.write_text(re.sub(r"\[(.*?)\]", lambda sum_: f"{eval(sum_[1]):g}", text), encoding="utf-8")  # noqa: S307 - our own sums


def test_strokes_that_fit_are_worth_no_word(root: Path) -> None:
    assert warnings(root) == ()


@pytest.mark.parametrize(
    ("pattern", "new", "message"),
    [
        (r"<([XY])>(\d+)</.>", r"<\1>[\2 * 2.5]</\1>", "of the strokes' points lie outside"),
        (r"<([XY])>(\d+)</.>", r"<\1>[\2 / 50]</\1>", "all strokes lie within one pixel of a corner"),
        (r"<X>(\d+)</X><Y>(\d+)</Y>", r"<X>\2</X><Y>\1</Y>", "of 12 strokes looked at lie on another class"),
        (r"<X>(\d+)</X>", rf"<X>[{WIDTH - 1} - \1]</X>", "of 12 strokes looked at lie on another class"),
        (r"<filename>train", "<filename>other/val", "6 of 6 annotation files looked at name another image"),
    ],
    ids=["another size", "shares", "swapped axes", "mirrored", "another image"],
)
def test_strokes_that_do_not_fit_are_told(root: Path, pattern: str, new: str, message: str) -> None:
    rewrite(root, pattern, new)
    assert any(message in warning for warning in warnings(root)), warnings(root)


def test_classes_in_another_order_are_told_where_masks_can_tell(root: Path) -> None:
    other = ("ground", "disc", "tile")
    (warning,) = warnings(root, card(classes=other))
    assert warning.startswith("12 of 12 strokes looked at lie on another class in the dense masks")
    assert warnings(root, card(classes=other, has_masks=False)) == ()
    for path in (root / "SegmentationClassAug").glob("train_*"):
        path.unlink()
    assert warnings(root, card(classes=other)) == ()  # no mask of the training split is needed


@pytest.mark.parametrize(
    "name", ["train_1.jpg", "./anno/TRAIN_1.png", "D:\\anno\\train_1.xml", "train_1", ""]
)
def test_a_file_may_name_its_image_as_it_likes(root: Path, name: str) -> None:
    path = root / STROKES / "train_1.xml"
    path.write_text(path.read_text(encoding="utf-8").replace("train_1.png", name), encoding="utf-8")
    assert warnings(root) == ()


def test_images_without_strokes_are_counted(root: Path) -> None:
    rewrite(root, "<polygon>.*</polygon>", "", "train_3.xml")
    assert warnings(root) == ("1 of 6 training images have no stroke, such as train_3",)


def test_photographs_that_are_there_twice_are_told(root: Path) -> None:
    images = root / "JPEGImages"
    shutil.copy(images / "train_2.png", images / "train_4.png")
    shutil.copy(images / "train_0.png", images / "val_7.png")
    assert warnings(root) == (
        "1 of 2 val photographs are training photographs under another name, such as val_7 and train_0",
        "1 of 6 training photographs have the same pixels as another, such as train_4 and train_2",
    )
