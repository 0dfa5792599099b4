"""Where results of other programs stand, and what they do not hide."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scribblebench.report.collect import NONE, Variant, gather
from scribblebench.report.estimates import Estimates
from scribblebench.report.tables.table2 import table2


def identity(strokes: str = "s", val: str = "v", **protocol: Any) -> dict[str, Any]:
    training = {"protocol": protocol, "labels": {"strokes": strokes}}
    return {"identity": {"training": training, "val": val}}


def external(val: str = "v") -> dict[str, Any]:
    return {"identity": {"training": {"predictions": "p", "labels": {}}, "val": val}, "external": True}


def test_beside_every_table_of_the_claimed_protocol_on_the_same_images(make: Any, tmp_path: Path) -> None:
    make("rw", **identity(crop=97))
    make("rw", **identity(crop=113))  # an edited card
    make("rw", **identity("other strokes", crop=97))
    make("aardvark", **external())  # the first in the order of names
    make("rw", protocol="paper", **identity(crop=97))
    make("rw", overrides={"epochs": 4}, **identity(crop=97))
    make("rw", **identity(val="other masks", crop=97))
    groups = gather([tmp_path / "runs"]).records
    beside = [group for group in groups if "aardvark" in group.methods]
    assert len(groups) == 6
    assert len(beside) == 3
    assert all(
        (g.protocol, g.overrides) == ("toy", {}) and set(g.methods) == {"aardvark", "rw"} for g in beside
    )
    assert all(group.sample.method == "rw" for group in beside)
    assert {part for group in beside for part in group.differs} == {"protocol", "strokes", "validation data"}


@pytest.mark.parametrize(
    "other", [{"protocol": "paper"}, {"images": 41}, {"val": "w"}, {"classes": ("a", "b")}]
)
def test_never_beside_others(make: Any, tmp_path: Path, other: dict[str, Any]) -> None:
    make("rw", **identity(crop=97))
    make("mine", **external(**({"val": other.pop("val")} if "val" in other else {})), **other)
    groups = gather([tmp_path / "runs"]).records
    assert sorted([*group.methods] for group in groups) == [["mine"], ["rw"]]


def test_nothing_is_said_of_a_training_that_nobody_saw(make: Any, tmp_path: Path) -> None:
    shrink = Variant("shrink", 0.5)
    for variant in (NONE, shrink):
        make("rw", variant, curve=(), **identity(crop=97))
        make("mine", variant, curve=(), **external())
    (group,) = gather([tmp_path / "runs"]).records
    estimates = Estimates(group, 200, converged_only=True)
    assert estimates.drop_ratio("rw", shrink) is None  # an own cell of unknown rest
    assert estimates.drop_ratio("mine", shrink) is not None
    assert (estimates.falling("rw", shrink), estimates.falling("mine", shrink)) == (1, 0)


def test_table_2_has_a_row_of_them(make: Any, tmp_path: Path) -> None:
    make("rw-ss", dataset="voc2012", **identity(crop=97, backbone="resnet50"))
    record = make("mine", dataset="voc2012", method_title="Mine", **external())
    (group,) = gather([tmp_path / "runs"]).records
    row = table2([Estimates(group, 200)])[-1]
    assert (row["title"], row["supervision"], row["backbone"], row["note"]) == ("Mine", "", "resnet50", "")
    assert row["miou"] == pytest.approx(record.miou)
