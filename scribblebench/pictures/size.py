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


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a photograph as ``read_photograph`` returns it: turned as EXIF says.

    Raises:
        UserError: missing, not a picture, or larger than ``LIMIT``.
    """
    return _quick_or_thorough(path, upright=True)


def stored_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture as it is stored: that of a label map, which nothing may turn.

    Raises:
        UserError: missing, not a picture, or larger than ``LIMIT``.
    """
    return _quick_or_thorough(path, upright=False)


def _quick_or_thorough(path: Path, upright: bool) -> tuple[int, int]:
    try:
        with path.open("rb", buffering=0) as file:
            size = _quick(file, upright)
    except OSError:
        size = None  # opened again below, where the message is made
    if size is not None:
        check_area(size, path)
        return size
    with opened(path, "picture") as picture:
        # First the orientation: reading it turns a TIFF.
        sideways = upright and orientation(picture) in _SIDEWAYS
        width, height = picture.size
    return (height, width) if sideways else (width, height)


def _quick(file: BinaryIO, upright: bool) -> tuple[int, int] | None:
    """Width and height of an ordinary PNG or JPEG; None where only Pillow can tell.

    Pillow builds tables for decoding when it opens a file, which takes ten times as long.
    """
    head = file.read(_HEADER) or b""
    if head.startswith(PNG_MAGIC) and len(head) >= 24:
        if upright and _png_may_be_turned(file):
            return None
        width, height = struct.unpack(">II", head[16:24])
        return width, height
    return _jpeg_size(head) if head.startswith(_JPEG_MAGIC) else None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
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
