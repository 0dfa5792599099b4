"""SHA-256 of what is meant, strokes and pixels, and not of how an encoder wrote it down."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
from numpy.typing import NDArray

from scribblebench.scribbles.mark import Mark
from scribblebench.scribbles.stroke import Annotation, Stroke


def strokes_digest(annotation: Annotation) -> str:
    """SHA-256 of an annotation: id, size, and class and points of each stroke in order."""
    return _digest(annotation.image, annotation.width, annotation.height, annotation.strokes)


def marks_digest(image: str, width: int, height: int, marks: tuple[Mark, ...]) -> str:
    """SHA-256 of an image's marks: id, size, and class and points of each in order."""
    return _digest(image, width, height, marks)


def _digest(image: str, width: int, height: int, drawn: tuple[Stroke, ...] | tuple[Mark, ...]) -> str:
    digest = hashlib.sha256(image.encode("utf-8"))
    digest.update(struct.pack("<III", width, height, len(drawn)))
    for one in drawn:
        digest.update(struct.pack("<iI", one.class_index, len(one.points)))
        digest.update(one.points.astype("<f8").tobytes())
    return digest.hexdigest()


def pixels_digest(pixels: NDArray[np.uint8]) -> str:
    """SHA-256 of a label map or a photograph: its shape and its pixels."""
    digest = hashlib.sha256(struct.pack(f"<{pixels.ndim}I", *pixels.shape))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()
