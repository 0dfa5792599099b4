"""A bundle gives the report that its folder gives, and is read with suspicion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scribblebench.cli.main import main
from scribblebench.core.errors import UserError
from scribblebench.report.bundle import MANIFEST, opened, write_bundle

Change = Callable[[dict[str, bytes]], object]


@pytest.fixture
def bundle(make: Any, tmp_path: Path) -> Path:
    make("baseline")
    make("rw", status="failed", reason="the loss is not finite")
    write_bundle([tmp_path / "runs"], tmp_path / "a.zip")
    return tmp_path / "a.zip"


def test_the_same_report_from_bundle_and_folder(
    grid: Path, make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    make("mine", folder=tmp_path / "more")
    more = ["--runs", str(tmp_path / "more"), "--resamples", "100"]
    a, b = tmp_path / "a", tmp_path / "b"
    main(["report", "--runs", str(grid), *more, "--out", str(a), "--bundle", str(tmp_path / "one.zip")])
    main(["report", "--runs", str(tmp_path / "one.zip"), "--resamples", "100", "--out", str(b)])
    assert {p.name: p.read_bytes() for p in a.iterdir()} == {p.name: p.read_bytes() for p in b.iterdir()}
    with opened([tmp_path / "one.zip"]) as folders:
        write_bundle(folders, tmp_path / "two.zip")
        assert len(folders) == 2
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert not folders[0].exists()


def test_a_bundle_holds_what_is_asked_for(make: Any, tmp_path: Path) -> None:
    wanted = make("baseline")
    make("baseline", dataset="other")
    weights = tmp_path / "runs" / "weights.safetensors"
    weights.write_bytes(b"many")
    assert write_bundle([tmp_path / "runs"], tmp_path / "a.zip", dataset="toy") == 1
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == [
            "environment.json",
            "manifest.json",
            *(f"runs/0/{wanted.slug}.{kind}" for kind in ("json", "npz")),
        ]


def changed(path: Path, change: Change) -> Path:
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def first(files: dict[str, bytes], ending: str) -> str:
    return next(name for name in files if name.endswith(ending) and name.startswith("runs/"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.update({first(f, ".npz"): b"other"}), r"npz was changed"),
        (lambda f: f.pop(first(f, ".json")), r"json is missing"),
        (lambda f: f.update({"runs/0/extra.json": b"{}"}), r"runs/0/extra.json is not in the manifest"),
        (lambda f: f.update({"runs/../../out.json": b"{}"}), r"leads out of its folder"),
        (lambda f: f.update({MANIFEST: b'{"schema": 9, "program": "9", "files": {}}'}), r"schema 9, newer"),
        (lambda f: f.update({MANIFEST: b"[]"}), r"manifest.json is not a bundle's"),
        (lambda f: f.update({"runs/0/zeros.npz": bytes(70 * 2**20)}), r"more than 200 times"),
        (lambda f: f.pop(MANIFEST), r"has no manifest.json"),
    ],
)
def test_damage_is_named_and_nothing_is_written(bundle: Path, change: Change, says: str) -> None:
    before = set(bundle.parent.rglob("*"))
    with pytest.raises(UserError, match=says), opened([changed(bundle, change)]):
        pass
    assert set(bundle.parent.rglob("*")) == before


def test_a_cut_bundle_and_none_at_all_are_named(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-40])
    for path, says in ((bundle, "is damaged"), (bundle.with_name("none.zip"), "No bundle")):
        with pytest.raises(UserError, match=says), opened([path]):
            pass


def test_a_file_that_no_bundle_holds_is_refused_even_if_listed(bundle: Path) -> None:
    import hashlib
    import json

    def add(files: dict[str, bytes]) -> None:
        manifest = json.load(io.BytesIO(files[MANIFEST]))
        manifest["files"]["runs/0/run.py"] = hashlib.sha256(b"x").hexdigest()
        files.update({"runs/0/run.py": b"x", MANIFEST: json.dumps(manifest).encode()})

    with (
        pytest.raises(UserError, match=r"run\.py is nothing that a bundle holds"),
        opened([changed(bundle, add)]),
    ):
        pass
