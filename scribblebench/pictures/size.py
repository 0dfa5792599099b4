"""Width and height of a picture from its header, without decoding it where that is possible."""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

from scribblebench.pictures.opening import PNG_MAGIC, check_area, opened
from scribblebench.pictures.photographs import orientation

# Enough to reach the size behind the tables and notes of an ordinary JPEG.
_HEADER = 4096
_JPEG_MAGIC = b"\xff\xd8"
# JPEG: start of a baseline or a progressive frame.
_FRAMES = (0xC0, 0xC1, 0xC2)
_APP1 = 0xE1
# Where an orientation may stand: its EXIF tag in either byte order, or its name in XMP.
_ORIENTATION = (b"\x01\x12", b"\x12\x01", b"Orientation")
# PNG: the chunks of EXIF and XMP, with the keyword where a chunk has one.
_PNG_NOTES = (b"eXIf", b"tEXtRaw profile", b"zTXtRaw profile", b"iTXtRaw profile", b"iTXtXML:", b"tEXtXML:")
# EXIF orientations in which the picture lies on its side.
_SIDEWAYS = (5, 6, 7, 8)

Size = tuple[int, int]


def picture_size(path: Path) -> Size:
    """Width and height of a photograph as ``read_photograph`` returns it: turned as EXIF says.

    Raises:
        UserError: missing, not a picture, or larger than ``LIMIT``.
    """
    (width, height), turn = _look(path)
    return (height, width) if turn in _SIDEWAYS else (width, height)


def turn_of(path: Path) -> int:
    """EXIF orientation of a photograph, from 1 (upright) to 8.

    Raises:
        UserError: missing, not a picture, or larger than ``LIMIT``.
    """
    return _look(path)[1]


def stored_size(path: Path) -> Size:
    """Width and height of a picture as it is stored: that of a label map, which nothing may turn.

    Raises:
        UserError: missing, not a picture, or larger than ``LIMIT``.
    """
    size = _quick_size(path, upright=False)
    if size is None:
        with opened(path, "picture") as picture:
            size = picture.size
    return size


def _look(path: Path) -> tuple[Size, int]:
    size = _quick_size(path, upright=True)
    if size is not None:
        return size, 1
    with opened(path, "picture") as picture:
        # First the orientation: reading it turns a TIFF.
        turn = orientation(picture)
        return picture.size, turn


def _quick_size(path: Path, upright: bool) -> Size | None:
    """Width and height of an ordinary PNG or JPEG; None where only Pillow can tell.

    Pillow builds tables for decoding when it opens a file, which takes ten times as long.

    Args:
        path: the file.
        upright: only if it is certain that no note turns the picture.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_HEADER) or b""
            if head.startswith(PNG_MAGIC) and len(head) >= 24:
                size = None if upright and _png_may_be_turned(file) else struct.unpack(">II", head[16:24])
            else:
                size = _jpeg_size(head) if head.startswith(_JPEG_MAGIC) else None
    except OSError:
        return None  # it is opened again, where the message is made
    if size is not None:
        check_area(size, path)
    return size


def _jpeg_size(head: bytes) -> Size | None:
    at = len(_JPEG_MAGIC)
    while at + 9 <= len(head) and head[at] == 0xFF:
        end = at + 2 + int.from_bytes(head[at + 2 : at + 4], "big")
        if head[at + 1] in _FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return (width, height) if height else None
        if head[at + 1] == _APP1 and any(mark in head[at:end] for mark in _ORIENTATION):
            return None
        at = end
    return None


def _png_may_be_turned(file: BinaryIO) -> bool:
    """Walk over a PNG's chunks, from the first to the last: notes may stand behind the pixels."""
    at = len(PNG_MAGIC)
    end = file.seek(0, os.SEEK_END)
    while at + 8 <= end:
        file.seek(at)
        head = file.read(24) or b""
        if head[4:].startswith(_PNG_NOTES):
            return True
        at += 12 + int.from_bytes(head[:4], "big")
    return False
