"""Write label maps as PNG. Mostly empty maps want run lengths, not a search: level 1, RLE, no filter."""

from __future__ import annotations

import struct
import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scribblebench.pictures.opening import PNG_MAGIC
from scribblebench.pictures.palette import voc_palette

Labels = Literal["palette", "grey"]
# A small state stays in the cache, and run lengths need no more: a quarter faster than the default.
_MEMORY = 5
_GREY, _PALETTE = 0, 3
_PLTE = voc_palette().tobytes()


def encode_labels(label: NDArray[np.uint8], labels: Labels = "palette") -> bytes:
    """Encode a label map as an 8-bit PNG whose pixels are the labels.

    Args:
        label: uint8 (height, width).
        labels: with VOC's palette (people see colours, PIL reads labels), or grey (OpenCV reads labels).
    """
    height, width = label.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # a leading 0 in each row: filter none
    rows[:, 1:] = label
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, _MEMORY, zlib.Z_RLE)
    data = packer.compress(rows.data) + packer.flush()
    kind = _PALETTE if labels == "palette" else _GREY
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    palette = _chunk(b"PLTE", _PLTE) if kind == _PALETTE else b""
    return PNG_MAGIC + _chunk(b"IHDR", header) + palette + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))
