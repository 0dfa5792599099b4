"""The colours that PASCAL VOC gives its labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def voc_palette() -> NDArray[np.uint8]:
    """PASCAL VOC's colours, (256, 3): bit k of a label's three bit-planes is bit 7 - k of red, green, blue.

    >>> voc_palette()[[1, 15, 255]].tolist()
    [[128, 0, 0], [192, 128, 128], [224, 224, 192]]
    """
    labels = np.arange(256, dtype=np.uint8)
    colours = np.zeros((256, 3), dtype=np.uint8)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((labels >> channel) & 1) << (7 - bit)
        labels >>= 3
    return colours
