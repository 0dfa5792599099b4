from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.core.cards import DatasetCard
from scribblebench.core.files import file_sha256
from scribblebench.scribbles.png import encode_labels
from scribblebench.sources import verify
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, make_variant, open_variant
from scribblebench.sources.verify import check_files, check_source

PNG, XML = "pascal_2012_scribble", "scribble_annotation/pascal_2012"


@pytest.fixture
def dataset(small: Path, card: DatasetCard) -> DatasetFolder:
    return open_dataset(card, small)


@pytest.fixture
def variant(dataset: DatasetFolder, tmp_path: Path) -> Variant:
    return make_variant(dataset, "train", VariantSpec.of("drop", 0.3), tmp_path / "v")


def encode_anew(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()
        picture.save(path, compress_level=9)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_variant_agrees_with_its_manifest_and_its_source(variant: Variant, dataset: DatasetFolder) -> None:
    assert check_files(variant, dataset.card) == []
    assert check_source(variant, dataset) == []


def test_several_processes_find_the_same_in_the_same_order(
    variant: Variant, dataset: DatasetFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for image in ("train_004", "train_002"):
        variant.label_path(image).unlink()
    (dataset.root / dataset.card.layout.masks / "train_003.png").write_bytes(b"no mask")
    checks = (partial(check_files, variant, dataset.card), partial(check_source, variant, dataset))
    alone = [check() for check in checks]
    assert all(alone)
    monkeypatch.setattr(verify, "_CHUNK", 2)
    assert [check(workers=2) for check in checks] == alone


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda v: v.label_path("train_003").unlink(), f"{PNG}/train_003.png: missing"),
        (lambda v: v.annotation_path("train_003").unlink(), f"{XML}/train_003.xml: missing"),
        (
            lambda v: v.label_path("train_003").write_bytes(
                encode_labels(np.zeros((97, 97), dtype=np.uint8))
            ),
            f"{PNG}/train_003.png: other pixels",
        ),
        (
            lambda v: v.label_path("train_003").write_bytes(b"no picture"),
            f"{PNG}/train_003.png: other pixels",
        ),
        (
            lambda v: encode_anew(v.label_path("train_003")),
            f"{PNG}/train_003.png: encoded anew, with the same pixels",
        ),
        (
            lambda v: edit(v.annotation_path("train_003"), "<X>", "<X>1"),
            f"{XML}/train_003.xml: other strokes",
        ),
        (
            lambda v: edit(v.annotation_path("train_003"), "\t<polygon>", "<polygon>"),
            f"{XML}/train_003.xml: written anew, with the same strokes",
        ),
        (
            lambda v: (v.root / PNG / "more.png").write_bytes(b""),
            f"{PNG}/more.png: not in the manifest",
        ),
        (
            lambda v: edit(v.root / "manifest.json", v.fingerprint, "0" * 64),
            "manifest.json: the fingerprints do not agree with the images' own digests",
        ),
    ],
)
def test_what_differs_is_named(
    variant: Variant, card: DatasetCard, spoil: Callable[[Variant], object], expected: str
) -> None:
    spoil(variant)
    assert check_files(open_variant(variant.root), card) == [expected]


def test_a_changed_source_is_named(variant: Variant, dataset: DatasetFolder) -> None:
    edit(dataset.root / XML / "train_001.xml", "<tag>background", "<tag>eel")
    mask = dataset.mask("train_002").copy()
    mask[0, 0] = 255 if mask[0, 0] != 255 else 0
    dataset.mask_path("train_002").write_bytes(encode_labels(mask))
    edit(dataset.root / XML / "train_004.xml", "</annotation>", "")
    edit(dataset.root / "ImageSets/SegmentationAug/train.txt", "train_000", "val_000")
    differences = check_source(variant, dataset)
    assert differences[:2] == [
        "val_000: in the source, not in the variant",
        "train_000: in the variant, not in the source",
    ]
    assert differences[2].startswith("train_001: other source strokes and degraded strokes and label map")
    assert differences[3] == "train_002: other mask when made again"
    assert "train_004.xml: malformed XML" in differences[4]
    assert len(differences) == 5


def test_the_metadata_describes_what_is_there(variant: Variant) -> None:
    data = json.loads((variant.root / "croissant.json").read_text(encoding="utf-8"))
    assert data["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    manifest, *sets = data["distribution"]
    assert manifest["sha256"] == file_sha256(variant.root / manifest["contentUrl"])
    for fileset in sets:
        assert len(list(variant.root.glob(fileset["includes"]))) == len(variant.ids)
    known = {entry["@id"] for entry in data["distribution"]}
    assert {field["source"]["fileSet"]["@id"] for field in data["recordSet"][0]["field"]} <= known
    assert variant.fingerprint in data["description"]
