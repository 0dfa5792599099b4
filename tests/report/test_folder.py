"""A report replaces the one before it, whole or not at all, and nothing else in the folder."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.report.folder import PAGE, publish
from scribblebench.report.page import page


def files(*tables: str, content: str) -> dict[str, bytes | str]:
    return {**dict.fromkeys(tables, content), PAGE: page([], files=[*tables, PAGE])}


def held(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with a report of two tables."""
    publish(files("a.csv", "b.csv", content="earlier"), tmp_path / "out")
    return tmp_path / "out"


def test_a_full_disk_leaves_the_earlier_report_whole(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held(out)
    write, written = Path.write_bytes, iter(range(2))

    def full(path: Path, data: bytes) -> int:
        if next(written, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(NoSpaceError, match="No space left"):
        publish(files("a.csv", "b.csv", content="later"), out)
    assert held(out) == before


@pytest.mark.parametrize("moves", range(3))
def test_no_page_stands_beside_tables_of_another_report(
    out: Path, monkeypatch: pytest.MonkeyPatch, moves: int
) -> None:
    """The process is stopped while files take their places; the next call makes it good."""
    put, moved = Path.replace, iter(range(moves))

    def stopped(path: Path, target: Path) -> Path:
        if next(moved, None) is None:
            raise KeyboardInterrupt
        return put(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    later = files("a.csv", "b.csv", content="later")
    with pytest.raises(KeyboardInterrupt):
        publish(later, out)
    assert not (out / PAGE).exists()
    monkeypatch.undo()
    publish(later, out)
    assert held(out).keys() == {"a.csv", "b.csv", PAGE}
    assert (out / "b.csv").read_bytes() == b"later"


def test_files_of_an_earlier_report_go_and_those_of_others_stay(out: Path) -> None:
    own = {"notes.txt": b"mine", "curves_mine.png": b"mine", "table9.csv": b"mine"}
    for name, content in own.items():
        (out / name).write_bytes(content)
    later = files("a.csv", content="later")
    publish(later, out)
    assert held(out) == {**own, "a.csv": b"later", PAGE: str(later[PAGE]).encode()}


def test_a_page_names_no_file_of_another_folder(out: Path) -> None:
    """Else whoever hands on a report could have files removed."""
    precious = out.parent / "precious.txt"
    precious.write_text("mine", encoding="utf-8")
    publish({PAGE: page([], files=[str(precious), "../precious.txt", ".."])}, out)
    publish(files("a.csv", content="later"), out)
    assert precious.exists()


def test_a_folder_in_the_place_of_a_table_is_refused(out: Path) -> None:
    before = held(out)
    (out / "c.csv").mkdir()
    with pytest.raises(UserError, match=r"c\.csv is a folder"):
        publish(files("a.csv", "c.csv", content="later"), out)
    (out / "c.csv").rmdir()
    assert held(out) == before
