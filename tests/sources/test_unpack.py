"""Archives that unpack to far more than they hold are refused before the disk is full."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from scribblebench.core.cards import Archive
from scribblebench.core.errors import UserError
from scribblebench.sources import unpack as module
from scribblebench.sources.unpack import unpack

ZEROS = bytes(4 * 2**20)


@pytest.fixture(autouse=True)
def a_low_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FLOOR", 2**20)


def zipped(path: Path, names: list[str]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, ZEROS)


def tarred(path: Path, names: list[str]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(ZEROS)
            tar.addfile(member, io.BytesIO(ZEROS))


def archive_of(path: Path) -> Archive:
    return Archive(path.name, ("https://example.org/x",), {"set": "set"})


@pytest.mark.parametrize(
    ("name", "make", "names"),
    [
        ("a.zip", zipped, ["set/a"]),
        ("a.tar.gz", tarred, ["set/a"]),
        ("a.tgz", tarred, ["other/a", "set/b"]),  # what is skipped is unpacked all the same
    ],
    ids=["zip", "tar", "skipped"],
)
def test_bombs_are_refused(
    tmp_path: Path, name: str, make: Callable[[Path, list[str]], None], names: list[str]
) -> None:
    make(tmp_path / name, names)
    with pytest.raises(UserError, match=rf"{name} unpacks to more than 200 times its size"):
        unpack(tmp_path / name, archive_of(tmp_path / name), tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*")) <= 200 * 2**20


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_an_ordinary_tar_is_unpacked_whatever_its_name_says_of_its_packing(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, mode) as tar:
        member = tarfile.TarInfo("set/a")
        member.size = 5
        tar.addfile(member, io.BytesIO(b"hello"))
    assert unpack(path, archive_of(path), tmp_path / "out") == 1
    assert (tmp_path / "out/set/a").read_bytes() == b"hello"
