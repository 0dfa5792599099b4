"""SHA-256 of what is meant, strokes and pixels, and not of how an encoder wrote it down."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Annotation


def strokes_digest(annotation: Annotation) -> str:
    """SHA-256 of an annotation: id, size, and class and points of each stroke in order."""
    digest = hashlib.sha256(annotation.image.encode("utf-8"))
    digest.update(struct.pack("<III", annotation.width, annotation.height, len(annotation.strokes)))
    for stroke in annotation.strokes:
        digest.update(struct.pack("<iI", stroke.class_index, len(stroke.points)))
        digest.update(stroke.points.astype("<f8").tobytes())
    return digest.hexdigest()


def pixels_digest(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of a label map or a photograph: its shape and its pixels."""
    digest = hashlib.sha256(struct.pack(f"<{pixels.ndim}I", *pixels.shape))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
