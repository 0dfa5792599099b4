from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scribblebench.report.collect import gather
from scribblebench.report.provenance import Written, in_words, ran_on, settings

PROTOCOL = {
    "backbone": "resnet50",
    "weights": "ab" * 32,
    "output_stride": 16,
    "batch": 8,
    "crop": 321,
    "epochs": 40,
    "optimizer": {"part": "sgd", "lr": 0.01},
    "schedule": "one_cycle",
    "augmentation": {"scale": [0.5, 2.0]},
    "freeze_batch_norm": True,
}


def test_a_protocol_is_told_in_words_and_field_by_field(make: Any, tmp_path: Path) -> None:
    evaluation = {"part": "whole_image", "scales": [0.5, 1.0], "flip": True}
    make(identity={"training": {"protocol": PROTOCOL}, "evaluation": evaluation})
    (group,) = gather([tmp_path / "runs"]).records
    assert in_words(group) == (
        "Trained for 40 epochs, in batches of 8 crops of 321 \u00d7 321 pixels, by sgd at learning rate 0.01"
        ", one cycle schedule. Network: resnet50 from weights ababababab\u2026, output stride 16. "
        "Scored by whole image inference, at scale 0.5 and 1, with flips."
    )
    rows = dict(settings(group))
    assert rows["protocol.augmentation.scale"] == "0.5, 2"
    assert rows["protocol.freeze_batch_norm"] == "yes"
    assert rows["evaluation.part"] == "whole_image"


def test_an_unknown_protocol_has_no_words(make: Any, tmp_path: Path) -> None:
    make(identity={"training": {}})
    (group,) = gather([tmp_path / "runs"]).records
    assert (in_words(group), settings(group)) == ("", [])


def test_where_cells_differ_each_is_counted(make: Any, tmp_path: Path) -> None:
    make(seed=0)
    make(seed=1, device="gpu", started="2026-01-03T10:00:00+00:00")
    make("rw")
    (group,) = gather([tmp_path / "runs"]).records
    assert ran_on(group)["Device"] == ["cpu, 2 threads (2 cells)", "gpu (1 cell)"]
    assert ran_on(group)["Trained"] == ["2026-01-01 to 2026-01-03"]


def test_the_clock_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    assert Written.now().when == "1970-01-01 00:00 UTC"
