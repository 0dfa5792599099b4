"""Label maps whose values are not class indices: read as the card says, or refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard, Values
from scribblebench.core.errors import UserError
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.digest import strokes_digest
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.layouts import LAYOUTS
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import make_variant, source_fingerprint
from scribblebench.sources.verify import check_files, check_source

IMAGE = "train_000"
# Six classes of the toy dataset and the ignore index, as another program might number them.
OTHER = {0: 9, 1: 50, 2: 100, 3: 150, 4: 200, 5: 250, 255: 0}


@pytest.fixture
def drawn(small: Path, card: DatasetCard) -> DatasetFolder:
    """Label maps of strokes beside the XML ones."""
    make_variant(open_dataset(card, small), "train", VariantSpec(), small / "v")
    (small / "v" / card.layout.labels).rename(small / card.layout.labels)
    return open_dataset(card, small, "png")


def renumbered(folder: Path, numbers: dict[int, int]) -> None:
    table = np.array([numbers.get(value, value) for value in range(256)], dtype=np.uint8)
    for path in folder.glob("*.png"):
        Image.fromarray(table[read_labels(path)]).save(path)


def meaning(card: DatasetCard, numbers: dict[int, int]) -> dict[int, str]:
    names = [*card.classes]
    return {new: names[old] if old < len(names) else "ignore" for old, new in numbers.items()}


def with_values(dataset: DatasetFolder, **values: dict[int, str]) -> DatasetFolder:
    card = msgspec.structs.replace(dataset.card, values=Values(**values))
    return open_dataset(card, dataset.root, dataset.strokes)


def test_masks_with_other_numbers_are_the_same_masks(small: Path, card: DatasetCard, tmp_path: Path) -> None:
    before = open_dataset(card, small)
    mask, prints = before.mask(IMAGE), source_fingerprint(before, "train")
    renumbered(small / card.layout.masks, OTHER)
    after = with_values(before, masks=meaning(card, OTHER))
    np.testing.assert_array_equal(after.mask(IMAGE), mask)
    assert source_fingerprint(after, "train") == prints
    # A variant of them, and what other programs are given.
    variant = make_variant(after, "train", VariantSpec.of("drop", 0.5), tmp_path / "v")
    LAYOUTS.get("rloss")().complete(variant, after)
    np.testing.assert_array_equal(read_labels(variant.root / "SegmentationClassAug" / f"{IMAGE}.png"), mask)
    assert check_files(variant, after.card) == check_source(variant, after) == []


def test_strokes_with_other_numbers_are_the_same_strokes(drawn: DatasetFolder) -> None:
    before = strokes_digest(drawn.annotation(IMAGE))
    renumbered(drawn.root / drawn.card.layout.labels, OTHER)
    after = with_values(drawn, strokes=meaning(drawn.card, OTHER))
    assert strokes_digest(after.annotation(IMAGE)) == before


def test_a_binary_mask_of_black_and_white(small: Path, card: DatasetCard) -> None:
    renumbered(small / card.layout.masks, dict.fromkeys(range(1, 6), 255))
    two = msgspec.structs.replace(card, classes=("ground", "thing"))
    dataset = with_values(open_dataset(two, small), masks={0: "ground", 255: "thing"})
    mask = dataset.mask(IMAGE)
    assert set(np.unique(mask)) == {0, 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "the label 77, which toy lacks"),
        ({0: "background", 1: "fish"}, "the value 77, which toy's card does not name"),
    ],
)
def test_a_value_without_a_meaning_is_refused(
    small: Path, card: DatasetCard, values: dict[int, str], message: str
) -> None:
    renumbered(small / card.layout.masks, {value: 77 for value in range(2, 6)})
    dataset = with_values(open_dataset(card, small), masks=values)
    refused = 0
    for image in dataset.ids("train"):
        if (read_labels(dataset.mask_path(image)) == 77).any():
            refused += 1
            with pytest.raises(UserError, match=rf"{image}\.png holds {message}"):
                dataset.mask(image)
    assert refused


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            {255: 0, **{i: i + 1 for i in range(6)}},
            r"lacks|0 means unlabelled .*strokes: \{0: ignore, 1: backgr",
        ),
        ({255: 0, 0: 5, 5: 4}, r"Probably 0 means unlabelled here.*values: \{strokes: \{0: ignore, "),
        ({255: 254}, r"holds the label 254.* values: in the card"),
        ({255: 3}, r"Probably 3 means unlabelled here.*strokes: \{3: ignore, 0: "),
    ],
)
def test_strokes_on_another_ground_are_recognised(
    drawn: DatasetFolder, numbers: dict[int, int], message: str
) -> None:
    renumbered(drawn.root / drawn.card.layout.labels, numbers)
    with pytest.raises(UserError, match=rf"{IMAGE}\.png.*({message})"):
        drawn.annotation(IMAGE)


def test_one_object_and_its_background_are_recognised(drawn: DatasetFolder) -> None:
    renumbered(drawn.root / drawn.card.layout.labels, {255: 0, 0: 2, **dict.fromkeys(range(1, 6), 1)})
    card = msgspec.structs.replace(drawn.card, classes=("ground", "thing"))
    dataset = open_dataset(card, drawn.root, "png")
    with pytest.raises(UserError, match=r"values: \{strokes: \{0: ignore, 1: thing, 2: ground\}\}"):
        dataset.annotation(IMAGE)
    read = with_values(dataset, strokes={0: "ignore", 1: "thing", 2: "ground"}).annotation(IMAGE)
    assert {stroke.class_index for stroke in read.strokes} == {0, 1}


def test_dense_masks_in_place_of_strokes_are_recognised(drawn: DatasetFolder) -> None:
    half = np.zeros((97, 97), dtype=np.uint8)
    half[:50] = 1
    Image.fromarray(half).save(drawn.root / drawn.card.layout.labels / f"{IMAGE}.png")
    with pytest.raises(UserError, match=r"100% of its pixels are labelled.* probably a dense mask"):
        drawn.annotation(IMAGE)
