"""Fingerprints of known variants: they must be the same on every machine and in every version of the rules.

Where a change of the rules is meant, raise ``manifest.RULE`` and take the new values from the failing test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from scribblebench.core.cards import DatasetCard
from scribblebench.core.library import Library
from scribblebench.scribbles.pen import Pen
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.spec import Step, VariantSpec
from scribblebench.sources.variant import make_variant

SPECS = {
    "none": VariantSpec(),
    "drop-0.3-seed0": VariantSpec.of("drop", 0.3),
    "drop-0.5-unit=stroke-droppable=all-seed1": VariantSpec.of(
        "drop", 0.5, 1, unit="stroke", droppable="all"
    ),
    "shrink-0.5-seed0": VariantSpec.of("shrink", 0.5),
    "shrink-0.7-keep=centre-seed0": VariantSpec.of("shrink", 0.7, keep="centre"),
    "shrink-1-seed2": VariantSpec.of("shrink", 1.0, 2),
    "drop-0.3+shrink-0.5-seed0": VariantSpec((Step("drop", 0.3), Step("shrink", 0.5))),
    "jitter-0.5-seed0": VariantSpec.of("jitter", 0.5),
    "mislabel-0.3-seed0": VariantSpec.of("mislabel", 0.3),
    "stray-0.5-seed0": VariantSpec.of("stray", 0.5),
    "thin-0.7-seed0": VariantSpec.of("thin", 0.7),
    "thicken-0.3-seed0": VariantSpec.of("thicken", 0.3),
    "none-joints=flat-base=1-point=none": VariantSpec(pen=Pen(joints="flat", base=1, point="none")),
}
TOY: dict[str, str] = {}
VOC_MINI: dict[str, str] = {}


@pytest.mark.parametrize("name", SPECS)
def test_the_toy_variant_is_what_it_was(toy: Path, card: DatasetCard, tmp_path: Path, name: str) -> None:
    assert SPECS[name].id == name
    variant = make_variant(open_dataset(card, toy), "train", SPECS[name], tmp_path / name)
    assert variant.fingerprint[:32] == TOY[name]


@pytest.fixture(scope="module")
def twenty(voc_mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 20 training images of the VOC subset: links and a list."""
    root = tmp_path_factory.mktemp("twenty") / "voc"
    root.mkdir()
    for part in ("JPEGImages", "SegmentationClassAug", "scribble_annotation"):
        (root / part).symlink_to(voc_mini / part)
    names = (voc_mini / "ImageSets/SegmentationAug/train.txt").read_text(encoding="utf-8").split()[:20]
    (root / "ImageSets/SegmentationAug").mkdir(parents=True)
    (root / "ImageSets/SegmentationAug/train.txt").write_text("\n".join(names), encoding="utf-8")
    return root


@pytest.mark.parametrize("name", SPECS)
def test_the_voc_variant_is_what_it_was(twenty: Path, tmp_path: Path, name: str) -> None:
    dataset = open_dataset(Library().dataset("voc2012"), twenty)
    variant = make_variant(dataset, "train", SPECS[name], tmp_path / name)
    assert variant.fingerprint[:32] == VOC_MINI[name]
