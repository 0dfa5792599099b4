"""Labels in PASCAL VOC's colours over a paler grey photograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scribblebench.pictures.palette import voc_palette

Pixels = NDArray[np.uint8]
_STRENGTH = 0.6
_BACKGROUND = 0


def coloured(photograph: Pixels, labels: Pixels, ignore: int, strength: float = _STRENGTH) -> Pixels:
    """Lay class colours over a paler grey photograph; it alone shows where there is no class.

    Args:
        photograph: uint8 (h, w, 3).
        labels: uint8 (h, w).
        ignore: label without class.
        strength: of the colours, from 0 to 1.

    >>> coloured(np.full((1, 2, 3), 155, np.uint8), np.array([[1, 255]], np.uint8), 255).tolist()
    [[[150, 74, 74], [185, 185, 185]]]
    """
    grey = 255 - 0.7 * (255 - photograph.mean(axis=2, keepdims=True).repeat(3, axis=2))
    mixed = strength * voc_palette()[labels].astype(np.float64) + (1 - strength) * grey
    mixed[labels == ignore] = grey[labels == ignore]
    shown: Pixels = mixed.astype(np.uint8)
    return shown


def objects(photograph: Pixels, labels: Pixels, ignore: int) -> Pixels:
    """Lay the colours of all classes but the background, black in VOC's palette, over a photograph."""
    return coloured(photograph, np.where(labels == _BACKGROUND, ignore, labels).astype(np.uint8), ignore)
