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
TOY: dict[str, str] = {
    "none": "269aeec70be90e49cc1db202f0688cf6",
    "drop-0.3-seed0": "8075deff162f406507aca06b033afbc7",
    "shrink-0.5-seed0": "3e8c8cdb17fc6be3680583ac29a1006e",
}
VOC_MINI: dict[str, str] = {
    "none": "42b282f1cbfeff06a302b634b41ea557",
    "drop-0.3-seed0": "033b903f0530746e8f77853215009aad",
    "drop-0.5-unit=stroke-droppable=all-seed1": "d33eaa26eca4db07aa90da1ab7c851fc",
    "shrink-0.5-seed0": "2dd360fa612b7d100a2c72315c65ede1",
    "shrink-0.7-keep=centre-seed0": "fa9db72929c314348b87e3099644180a",
    "shrink-1-seed2": "511506a3695a3f25c49882092fbf2d3e",
    "drop-0.3+shrink-0.5-seed0": "d3b7b187bc82baeff5fc9f70dfc91c5f",
    "jitter-0.5-seed0": "d12fd7de2080d420e055fbf1d9568a15",
    "mislabel-0.3-seed0": "9c79c761ad4612af2ab20b98598974a3",
    "stray-0.5-seed0": "889ad114b9c8c9b834e44116cc5bf64d",
    "thin-0.7-seed0": "6bd0f1048fee7b4ac7a3e339dac35174",
    "thicken-0.3-seed0": "ab058f31dd7f88df8064e06e6044b956",
    "none-joints=flat-base=1-point=none": "eb274270f73058c1c6f07d4145713174",
}


@pytest.mark.parametrize("name", TOY)
def test_the_toy_variant_is_what_it_was(toy: Path, card: DatasetCard, tmp_path: Path, name: str) -> None:
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
    assert SPECS[name].id == name
    dataset = open_dataset(Library().dataset("voc2012"), twenty)
    variant = make_variant(dataset, "train", SPECS[name], tmp_path / name)
    assert variant.fingerprint[:32] == VOC_MINI[name]
