"""Labels shown over their photograph."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scribblebench.pictures.palette import voc_palette

Pixels = NDArray[np.uint8]


def overlay(photograph: Pixels, labels: Pixels, opacity: float = 0.5) -> Pixels:
    """Lay the palette's colours over a photograph; label 0, the background, stays as it is.

    Args:
        photograph: uint8 (h, w, 3).
        labels: uint8 (h, w).
        opacity: of the colours, from 0 to 1.

    >>> overlay(np.full((1, 2, 3), 100, np.uint8), np.array([[0, 1]], np.uint8)).tolist()
    [[[100, 100, 100], [114, 50, 50]]]
    """
    mixed = (1 - opacity) * photograph + opacity * voc_palette()[labels]
    shown: Pixels = np.where(labels[..., None] > 0, np.rint(mixed), photograph).astype(np.uint8)
    return shown


def encode_picture(pixels: Pixels) -> bytes:
    """Encode uint8 (h, w, 3) as a PNG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()
