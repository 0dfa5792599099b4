from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.store.confusion import PerImageConfusion, read_confusion
from scribblebench.store.document import Reading
from scribblebench.store.record import (
    Record,
    confusion_path,
    find_record,
    read_record,
    read_records,
    record_path,
    slug_of,
    write_record,
)


def make(method: str = "rw-ss", **fields: Any) -> Record:
    identity = {"method": {"name": method, "losses": [{"weight": 0.1}]}, "training": {"seed": 0}}
    cell = fingerprint(identity)
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
        "identity": identity,
        "training_id": fingerprint(identity["training"]),
        "classes": ["background", "disc"],
        "started": "2026-01-01T00:00:00+00:00",
        "miou": 0.1 + 0.2,
        "iou": [0.1 + 0.2, None],
        "curve": [{"epoch": 1, "loss": 1.5}],
        "warnings": ["class 'disc' has no stroke"],
    }
    return Record(**{**given, **fields})


CRF = {"crf": "urss", "miou_crf": 0.4, "iou_crf": [0.5, 0.3]}


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    records = [make("rw", **CRF), make("rw-ss", overrides={"epochs": 4}, parameters={"total": 328_321})]
    for record in records:
        write_record(tmp_path, record)
    assert read_records(tmp_path) == Reading(sorted(records, key=lambda r: r.slug), [])
    assert read_records(tmp_path).records[1].miou == 0.1 + 0.2
    assert find_record(tmp_path, records[0].cell) == records[0]
    assert find_record(tmp_path, "0" * 64) is None


def test_a_later_status_of_a_cell_replaces_the_earlier(tmp_path: Path) -> None:
    write_record(tmp_path, make(status="running", miou=None))
    write_record(tmp_path, make())
    assert [r.status for r in read_records(tmp_path).records] == ["done"]


def test_a_diverged_loss_can_be_recorded(tmp_path: Path) -> None:
    write_record(tmp_path, make(status="failed", reason="loss is not finite", curve=[{"loss": float("nan")}]))
    assert read_records(tmp_path).records[0].curve == [{"loss": None}]


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
        (lambda raw: raw.update(miou_crf=0.4), r"without its name - at `\$\.crf"),
        (lambda raw: raw.update(crf="urss"), r"\$\.miou_crf"),
        (lambda raw: raw.update(CRF, iou_crf=[0.4]), r"\$\.iou_crf"),
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
        read_record(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert read_records(tmp_path) == Reading([], [(path, str(caught.value))])
    assert find_record(tmp_path, make().cell) is None


@pytest.mark.parametrize("text", ["", '{"schema": 1, "cell"', "[1]", "\x80", "[" * 100_000])
def test_half_a_file_is_named_and_the_others_are_read(tmp_path: Path, text: str) -> None:
    write_record(tmp_path, make())
    (tmp_path / "half.json").write_text(text, encoding="latin-1")
    (tmp_path / "._half.json").write_bytes(b"\x00\x05\x16\x07")  # what macOS leaves beside a file
    found = read_records(tmp_path)
    assert found.records == [make()]
    assert [path.name for path, _ in found.damaged] == ["half.json"]
    assert "half.json" in found.damaged[0][1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_changes_nothing(tmp_path: Path, place: float, bit: int) -> None:
    path = write_record(tmp_path, make(curve=[], versions={"torch": "2.11"}))
    raw = bytearray(path.read_bytes())
    raw[int(place * len(raw))] ^= 1 << bit
    path.write_bytes(raw)
    assert read_records(tmp_path).records in ([], [make(curve=[], versions={"torch": "2.11"})])


def edited(path: Path, schema: int, **fields: Any) -> None:
    """Change fields as a person would who knows how the checksum is made."""
    raw = json.loads(path.read_text(encoding="utf-8")) | fields | {"schema": schema}
    raw.pop("checksum")
    path.write_text(
        json.dumps(raw | ({"checksum": fingerprint(raw)} if schema > 1 else {})), encoding="utf-8"
    )


@pytest.mark.parametrize("schema", [1, 2])
@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"identity": {"training": {"seed": 1}}}, r"\$\.cell"),
        ({"training_id": "0" * 64}, r"\$\.training_id"),
        ({"method": "baseline"}, r"\$\.slug"),
        ({"kind": "drop"}, r"\$\.slug"),
        ({"rate": 0.7}, r"\$\.slug"),
        ({"seed": 3}, r"\$\.slug"),
        ({"miou": 0.31}, r"\$\.miou"),
        ({"iou": [0.29, None]}, r"\$\.miou"),
        ({**CRF, "miou_crf": 0.41}, r"mean 0\.400000, not 0\.41 - at `\$\.miou_crf"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    tmp_path: Path, schema: int, fields: dict[str, Any], said: str
) -> None:
    path = write_record(tmp_path, make())
    edited(path, schema)
    assert read_record(path) == make(schema=schema)
    edited(write_record(tmp_path, make()), schema, **fields)
    with pytest.raises(UserError, match=rf"contradicts itself.*{said}"):
        read_record(path)


def test_a_record_from_before_crfs_is_read(tmp_path: Path) -> None:
    path = write_record(tmp_path, make())
    raw = {k: v for k, v in json.loads(path.read_text("utf-8")).items() if "crf" not in k and k != "checksum"}
    path.write_text(json.dumps({**raw, "checksum": fingerprint(raw)}), encoding="utf-8")
    assert read_record(path) == make()


def test_a_record_under_another_name_is_refused(tmp_path: Path) -> None:
    path = write_record(tmp_path, make())
    with pytest.raises(UserError, match="its slug is toy_rw-ss"):
        read_record(path.rename(path.with_name(f"copy-of-{path.name}")))


@pytest.mark.parametrize("slug", ["../escape", "a:b", "toy_rw-ss_seed0_0123456789"])
def test_a_slug_is_a_safe_name_that_carries_the_id(slug: str) -> None:
    with pytest.raises(ValueError, match="slug"):
        msgspec.structs.replace(make(), slug=slug)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ""),
        ({"miou": 1.0, "iou": []}, "an mIoU of 0.775000, its record says 1.0"),
        ({"miou_crf": 0.775, "iou_crf": []}, "an mIoU of 1.000000, its record says 0.775"),
        ({"miou_crf": 0.775, "iou_crf": [0.75, 0.8]}, "other IoUs"),
        ({"crf": "", "miou_crf": None, "iou_crf": []}, "holds some of a CRF, its record says none"),
        ({"confusion_sha256": "0" * 64}, "was changed"),
    ],
)
def test_matrices_without_and_with_a_crf_give_the_records_numbers(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    counted = PerImageConfusion(("a",), np.array([[[3, 1], [0, 4]]]), np.array([[[4, 0], [0, 4]]]))
    digest = counted.save(confusion_path(tmp_path, make().slug))
    numbers = {"miou": 0.775, "iou": [0.75, 0.8], "crf": "urss", "miou_crf": 1.0, "iou_crf": [1.0, 1.0]}
    record = make(**{"confusion_sha256": digest, **numbers, **fields})
    with pytest.raises(UserError, match=said) if said else contextlib.nullcontext():
        read_confusion(tmp_path, record)


def test_a_record_of_a_crf_needs_matrices_of_it(tmp_path: Path) -> None:
    PerImageConfusion(("a",), np.array([[[3, 1], [0, 4]]])).save(confusion_path(tmp_path, make().slug))
    with pytest.raises(UserError, match="holds none of a CRF, its record says some"):
        read_confusion(tmp_path, make(miou=0.775, iou=[0.75, 0.8], **CRF))


def test_a_cell_has_two_files_of_one_name(tmp_path: Path) -> None:
    slug = make().slug
    assert record_path(tmp_path, slug).stem == confusion_path(tmp_path, slug).stem == slug
