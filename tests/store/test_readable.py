"""Finished cells by the names that people type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint
from scribblebench.store.readable import find_cell, readable
from scribblebench.store.record import Record, record_path, slug_of, write_record


def keep(runs: Path, method: str, kind: str, rate: float, seed: int = 0, **fields: Any) -> Record:
    identity = {"training": {"method": method, "rate": rate, "seed": seed}, "rest": sorted(map(str, fields))}
    cell = fingerprint(identity)
    given: dict[str, Any] = {
        "cell": cell,
        "slug": slug_of("toy", method, kind, rate, seed, cell),
        "status": "done",
        "miou": 0.5,
        "method": method,
        "method_title": method,
        "dataset": "toy",
        "protocol": "toy",
        "kind": kind,
        "rate": rate,
        "seed": seed,
        "variant_seed": seed,
        "identity": identity,
        "training_id": fingerprint(identity["training"]),
        "classes": ["background", "fish"],
        "started": "2026-01-01T00:00:00+00:00",
    }
    record = Record(**{**given, **fields})
    write_record(runs, record)
    return record


@pytest.fixture
def cells(tmp_path: Path) -> dict[str, Record]:
    records = [
        keep(tmp_path, "rw", "none", 0.0),
        keep(tmp_path, "rw", "shrink", 0.5),
        keep(tmp_path, "rw-ss", "shrink", 0.5, seed=3),
        keep(tmp_path, "full", "none", 0.0),
        keep(tmp_path, "full", "none", 0.0, overrides={"epochs": 4}),
    ]
    keep(tmp_path, "baseline", "none", 0.0, status="failed", miou=None)
    keep(tmp_path, "mine", "none", 0.0, external=True)
    return {record.slug: record for record in records}


def test_every_way_of_naming_one_cell(tmp_path: Path, cells: dict[str, Record]) -> None:
    record = next(r for r in cells.values() if r.method == "rw-ss")
    assert readable(record) == "rw-ss@shrink-0.5#3"
    weights = tmp_path / "checkpoints" / f"{record.training_id}.safetensors"
    names = (readable(record), "rw-ss@shrink-0.5", "rw-ss", record.slug)
    for name in (*names, str(record_path(tmp_path, record.slug)), str(weights)):
        found = find_cell(tmp_path, name)
        assert (found.record.slug, found.runs) == (record.slug, tmp_path)
    assert find_cell(tmp_path, "rw@none#0").record.rate == 0  # and not that of rw-ss


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("rw", r"^'rw' may be 2 cells: rw@none#0, rw@shrink-0.5#0. Give one of these names.$"),
        ("full@none#0", r"may be 2 cells: .*toy_full_\w+ \(toy epochs=4\).*\. Give one of the first words"),
        ("rw-ss@shrink-0.4", r"no finished cell 'rw-ss@shrink-0.4'. Did you mean 'rw-ss@shrink-0.5#3'\?"),
        (
            "baseline",
            r"no finished cell 'baseline'. .*There are: full@none#0, rw-ss@shrink-0.5#3, rw@none#0, ",
        ),
        ("mine", "no finished cell 'mine'"),
    ],
)
def test_names_of_several_or_none(tmp_path: Path, cells: Any, name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        find_cell(tmp_path, name)


def test_a_record_without_a_network_says_why(tmp_path: Path, cells: Any) -> None:
    for method, why in (("mine", "another program predicted"), ("baseline", "it is failed")):
        (path,) = tmp_path.glob(f"toy_{method}_*.json")
        with pytest.raises(UserError, match=why):
            find_cell(tmp_path, str(path))
