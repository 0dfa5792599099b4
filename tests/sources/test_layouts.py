"""Each layout is read by the rules of the code that it is for, replayed here."""

from __future__ import annotations

import struct
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard
from scribblebench.scribbles.xml import read_xml
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.layouts import LAYOUTS
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, make_variant
from scribblebench.sources.verify import check_files


@pytest.fixture
def dataset(small: Path, card: DatasetCard) -> DatasetFolder:
    return open_dataset(card, small)


def laid_out(layout: str, dataset: DatasetFolder, tmp_path: Path) -> Variant:
    part = LAYOUTS.get(layout)
    spec = VariantSpec.of("drop", 0.7, droppable="all")
    spec = VariantSpec(spec.degradations, spec.seed, labels=part.labels)
    variant = make_variant(dataset, "train", spec, tmp_path / layout)
    for _ in range(2):  # once more changes nothing
        part().complete(variant, dataset)
    assert check_files(variant, dataset.card) == []
    return variant


def stored_bytes(png: Path) -> tuple[int, np.ndarray]:
    """Colour type and raw samples of an 8-bit PNG without interlacing: what a grey reader is given."""
    data = png.read_bytes()
    width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
    assert depth == 8
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        at += 12 + length
    rows = np.frombuffer(zlib.decompress(body), dtype=np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return colour, rows[:, 1:]


def test_rloss_reads_a_voc_root_with_pillow(dataset: DatasetFolder, tmp_path: Path) -> None:
    root = laid_out("rloss", dataset, tmp_path).root
    for split, labels in (("train", "pascal_2012_scribble"), ("val", "SegmentationClassAug")):
        lines = (root / "ImageSets/SegmentationAug" / f"{split}.txt").read_text().splitlines()
        assert sorted(lines) == sorted(dataset.ids(split))
        for line in lines:
            image, label = root / f"JPEGImages/{line}.jpg", root / labels / f"{line}.png"
            assert image.is_file()
            assert label.is_file()
            with Image.open(image) as photograph, Image.open(label) as target:
                assert photograph.convert("RGB").size == target.size
                assert target.mode == "P"
                assert set(np.unique(np.array(target))) <= {*range(6), 255}
                if split == "val":
                    np.testing.assert_array_equal(np.array(target), dataset.mask(line))


def test_urss_reads_grey_labels_grey_masks_and_a_superpixel_map(
    dataset: DatasetFolder, tmp_path: Path
) -> None:
    variant = laid_out("urss", dataset, tmp_path)
    root = variant.root
    for split, labels in (("train", "pascal_2012_scribble"), ("val", "SegmentationClassAug")):
        lines = (root / "ImageSets/SegmentationAug" / f"{split}.txt").read_text().splitlines()
        assert lines
        for line in lines:
            with Image.open(root / f"JPEGImages/{line}.jpg") as photograph:
                size = photograph.convert("RGB").size
            # OpenCV turns a palette's colours into grey; only a grey PNG keeps its labels.
            colour, label = stored_bytes(root / labels / f"{line}.png")
            assert colour == 0
            assert label.shape == size[::-1]
            if split == "val":
                np.testing.assert_array_equal(label, dataset.mask(line))
            else:
                colour, contour = stored_bytes(root / f"superpixels/{line}.png")
                assert colour == 0
                assert contour.shape == label.shape
                assert (1 - contour / 255 == 1).all()


def test_tel_reads_integers_from_a_zip_without_empty_images(dataset: DatasetFolder, tmp_path: Path) -> None:
    variant = laid_out("tel", dataset, tmp_path)
    classes = {name: i for i, name in enumerate(dataset.card.classes)}
    left_out = (variant.root / "voc_scribbles_without_strokes.txt").read_text().split()
    assert left_out  # the rate is high enough for the case to occur
    with zipfile.ZipFile(variant.root / "voc_scribbles.zip") as archive:
        assert sorted(archive.namelist() + [f"{i}.xml" for i in left_out]) == [
            f"{i}.xml" for i in variant.ids
        ]
        for name in archive.namelist():
            data = archive.read(name)
            root = ET.fromstring(data)  # noqa: S314 - our own file
            assert root.tag == "annotation"
            with Image.open(dataset.image_path(name[:-4])) as photograph:
                size = photograph.size
            assert (int(root.find("size/width").text), int(root.find("size/height").text)) == size
            polylines = []
            for polygon in (child for child in root if child.tag == "polygon"):
                points = [child for child in polygon if child.tag == "point"]
                assert points
                assert all((p[0].tag, p[1].tag) == ("X", "Y") for p in points)
                polylines.append(
                    (classes[polygon.find("tag").text], [(int(p[0].text), int(p[1].text)) for p in points])
                )
            assert polylines
            strokes = read_xml(data, name, dataset.card.class_of)[0].strokes
            assert polylines == [(s.class_index, [tuple(p) for p in s.points.tolist()]) for s in strokes]


def test_links_that_are_impossible_become_copies(
    dataset: DatasetFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    image = laid_out("rloss", dataset, tmp_path).root / "JPEGImages/train_000.jpg"
    assert not image.is_symlink()
    assert image.read_bytes() == dataset.image_path("train_000").read_bytes()


def test_every_layout_is_replayed() -> None:
    assert set(LAYOUTS.names()) == {"rloss", "tel", "urss"}


@pytest.mark.parametrize("layout", ["rloss", "urss"])
def test_masks_to_be_scored_on_are_there_where_those_of_training_are_not(
    small: Path, card: DatasetCard, tmp_path: Path, layout: str
) -> None:
    for path in (small / "SegmentationClassAug").glob("train_*.png"):
        path.unlink()
    dataset = open_dataset(msgspec.structs.replace(card, has_masks=False), small)
    root = laid_out(layout, dataset, tmp_path).root
    assert sorted(p.stem for p in (root / "SegmentationClassAug").iterdir()) == sorted(dataset.ids("val"))
