from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scribblebench.core.errors import UserError
from scribblebench.store.record import (
    Record,
    confusion_path,
    find_record,
    read_records,
    record_path,
    slug_of,
    write_record,
)


def make(method: str = "rw-ss", **fields: Any) -> Record:
    cell = hashlib.sha256(method.encode()).hexdigest()
    given = {
        "cell": cell,
        "slug": slug_of("toy", method, "shrink", 0.5, 0, cell),
        "status": "done",
        "method": method,
        "method_title": method.upper(),
        "dataset": "toy",
        "protocol": "toy",
        "kind": "shrink",
        "rate": 0.5,
        "seed": 0,
        "variant_seed": 0,
        "identity": {"method": {"losses": [{"weight": 0.1}]}},
        "training_id": "t",
        "classes": ["background", "disc"],
        "started": "2026-01-01T00:00:00+00:00",
        "miou": 0.1 + 0.2,
        "iou": [0.5, None],
        "curve": [{"epoch": 1, "loss": 1.5}],
    }
    return Record(**{**given, **fields})


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    records = [make("rw"), make("rw-ss", overrides={"epochs": 4}, parameters={"total": 328_321})]
    for record in records:
        write_record(tmp_path, record)
    assert read_records(tmp_path) == sorted(records, key=lambda r: r.slug)
    assert read_records(tmp_path)[1].miou == 0.1 + 0.2
    assert find_record(tmp_path, records[0].cell) == records[0]
    assert find_record(tmp_path, "0" * 64) is None


def test_a_later_status_of_a_cell_replaces_the_earlier(tmp_path: Path) -> None:
    write_record(tmp_path, make(status="running", miou=None))
    write_record(tmp_path, make())
    assert [r.status for r in read_records(tmp_path)] == ["done"]


def test_a_diverged_loss_can_be_recorded(tmp_path: Path) -> None:
    write_record(tmp_path, make(status="failed", reason="loss is not finite", curve=[{"loss": float("nan")}]))
    assert read_records(tmp_path)[0].curve == [{"loss": None}]


def test_a_prefix_of_an_id_is_not_the_id(tmp_path: Path) -> None:
    record = make()
    write_record(tmp_path, record)
    assert find_record(tmp_path, record.cell[:10] + "0" * 54) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.update(miou="high"), r"\$\.miou"),
        (lambda raw: raw.update(moiu=0.5), "moiu"),
        (lambda raw: raw.update(status="skipped"), r"\$\.status"),
        (lambda raw: raw.update(miou=None), r"\$\.miou"),
        (lambda raw: raw.update(iou=[0.5]), r"\$\.iou"),
        (lambda raw: raw["curve"][0].update(loss="low"), r"\$\.curve\[0\]"),
        (lambda raw: raw.pop("seed"), "seed"),
        (lambda raw: raw.update(schema=99, novelty=1), "schema 99.*Update scribblebench"),
    ],
)
def test_a_broken_record_is_named_with_its_field(tmp_path: Path, change: Any, said: str) -> None:
    path = write_record(tmp_path, make())
    raw = json.loads(path.read_text(encoding="utf-8"))
    change(raw)
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(UserError, match=said) as caught:
        read_records(tmp_path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", '{"schema": 1, "cell"', "[1]", "\x80"])
def test_half_a_file_is_a_clear_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "half.json").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"half\.json"):
        read_records(tmp_path)


@pytest.mark.parametrize("slug", ["../escape", "a:b", "toy_rw-ss_seed0_0123456789"])
def test_a_slug_is_a_safe_name_that_carries_the_id(slug: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        msgspec.structs.replace(make(), slug=slug)


def test_a_cell_has_two_files_of_one_name(tmp_path: Path) -> None:
    slug = make().slug
    assert record_path(tmp_path, slug).stem == confusion_path(tmp_path, slug).stem == slug
