"""Photographs that somebody gives by hand: files, and folders with all that is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from scribblebench.core.errors import UserError
from scribblebench.core.files import visible
from scribblebench.core.names import check_id, nfc
from scribblebench.pictures.photographs import SUFFIXES
from scribblebench.pictures.size import picture_size


def given_photographs(paths: Sequence[Path], but: Path) -> dict[str, Path]:
    """Name photographs: a file by its own name, one in a folder by its path from there, without suffixes.

    Args:
        paths: files, and folders in which photographs are sought, in folders below them too.
        but: a folder that is passed over: what is made of the photographs.

    Raises:
        UserError: no such file or no picture, a folder without photographs, or two of one name.
    """
    found: dict[str, Path] = {}
    names: dict[str, Path] = {}
    for path in paths:
        for name, photograph in _below(path, but.resolve()):
            other = names.setdefault(check_id(name, str(photograph)).casefold(), photograph)
            if other.resolve() != photograph.resolve():
                raise UserError(f"{other} and {photograph} would both be {name}. Rename one, or give one.")
            picture_size(photograph)
            found[name] = photograph
    return found


def _below(path: Path, but: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        if not path.is_file():
            raise UserError(f"No file or folder {path}. Give photographs, or folders that hold some.")
        yield nfc(path.stem), path
        return
    files = [
        file
        for file in visible(path, "**/*")
        if file.suffix.lower() in SUFFIXES and file.is_file() and not file.resolve().is_relative_to(but)
    ]
    if not files:
        raise UserError(f"{path} holds no photographs: no file ends in {', '.join(SUFFIXES)}.")
    yield from ((nfc(file.relative_to(path).with_suffix("").as_posix()), file) for file in files)
