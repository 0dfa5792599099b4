"""Strokes to a label map. One geometric rule, exact on every machine, in place of a drawing library's own."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Annotation, Points

IGNORE = 255
# Pixel centres are taken this much to the lower right, so that a pixel at exactly half the width from the
# stroke counts on one side only: an axis-aligned line of width w is w pixels wide for even w too.
_TIE = 2.0**-10

Ints = NDArray[np.int64]


class Pen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strokes become pixels.

    A pixel is labelled when its centre lies within half the width of the stroke; a later stroke
    overwrites an earlier one.

    Attributes:
        width: in pixels; 3 is what most of the field uses.
        joints: ``disc`` rounds every joint and both ends; ``flat`` draws the segments alone.
        base: coordinates count from 0 (Python) or from 1 (MATLAB).
        point: a stroke of one point is a ``square`` or a ``disc`` of the pen's width, or ``none``.
    """

    width: Annotated[float, Meta(ge=1, le=99, description="Width of the pen in pixels.")] = 3.0
    joints: Annotated[
        Literal["disc", "flat"], Meta(description="Round joints and ends, or segments alone.")
    ] = "disc"
    base: Annotated[Literal[0, 1], Meta(description="Whether coordinates count from 0 or from 1.")] = 0
    point: Annotated[
        Literal["square", "disc", "none"], Meta(description="How a stroke of one point is drawn.")
    ] = "square"


_PEN = Pen()


def draw(annotation: Annotation, pen: Pen = _PEN, ignore_index: int = IGNORE) -> NDArray[np.uint8]:
    """Draw the strokes of an image.

    Args:
        annotation: the strokes; what lies outside the image is cut off.
        pen: how.
        ignore_index: label of the other pixels.

    Returns:
        uint8 (height, width).

    >>> from scribblebench.scribbles.stroke import Stroke
    >>> stroke = Stroke(1, np.array([[2.0, 1.0]]))
    >>> draw(Annotation("a", width=5, height=3, strokes=(stroke,)), ignore_index=0)
    array([[0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0],
           [0, 1, 1, 1, 0]], dtype=uint8)
    """
    label = np.full((annotation.height, annotation.width), ignore_index, dtype=np.uint8)
    pixels, owners = _touched(annotation, pen)
    if len(pixels):
        classes = np.array([s.class_index for s in annotation.strokes], dtype=np.uint8)
        # Ordered by stroke; of repeated indices numpy keeps the last, which is the later stroke.
        label.reshape(-1)[pixels] = classes[owners]
    return label


def _touched(annotation: Annotation, pen: Pen) -> tuple[Ints, Ints]:
    """Flat pixel indices and the stroke of each, ordered by stroke."""
    counts = np.array([len(s.points) for s in annotation.strokes], dtype=np.int64)
    if not counts.size:
        return counts, counts
    points = np.concatenate([s.points for s in annotation.strokes]) - float(pen.base)
    strokes = np.repeat(np.arange(len(counts)), counts)
    size = (annotation.width, annotation.height)
    lines = strokes[1:] == strokes[:-1]
    pixels, which = _lines(points[:-1][lines], points[1:][lines], pen, size)
    owners = strokes[:-1][lines][which]
    single = counts[strokes] == 1
    if not single.any() or pen.point == "none":
        return pixels, owners
    dots, which = _dots(points[single], pen, size)
    pixels, owners = np.concatenate((pixels, dots)), np.concatenate((owners, strokes[single][which]))
    order = np.argsort(owners, kind="stable")
    return pixels[order], owners[order]


def _dots(centres: Points, pen: Pen, size: tuple[int, int]) -> tuple[Ints, Ints]:
    radius = pen.width / 2
    reach = math.ceil(radius + 0.5)
    steps = np.arange(-reach, reach + 1)
    nearest = np.floor(centres + 0.5).astype(np.int64)
    x = (nearest[:, 0, None, None] + steps[None, None, :]) + 0 * steps[None, :, None]
    y = (nearest[:, 1, None, None] + steps[None, :, None]) + 0 * steps[None, None, :]
    dx, dy = x + _TIE - centres[:, 0, None, None], y + _TIE - centres[:, 1, None, None]
    if pen.point == "square":
        near = (np.abs(dx) <= radius) & (np.abs(dy) <= radius)
    else:
        near = dx * dx + dy * dy <= radius * radius
    return _inside(x, y, near, size)


def _lines(start: Points, stop: Points, pen: Pen, size: tuple[int, int]) -> tuple[Ints, Ints]:
    """Pixels within half the pen's width of segments, and the segment of each.

    Along its longer axis a segment is walked pixel by pixel; across it, only the few pixels that can be near
    enough are tested.
    """
    radius = pen.width / 2
    delta = stop - start
    steep = np.abs(delta[:, 1]) > np.abs(delta[:, 0])
    # (u, v): position along the longer and the shorter axis.
    a = np.where(steep[:, None], start[:, ::-1], start)
    d = np.where(steep[:, None], delta[:, ::-1], delta)
    limit = np.where(steep, size[1], size[0]).astype(np.float64)
    first = np.clip(np.floor(np.minimum(a[:, 0], a[:, 0] + d[:, 0]) - radius), 0, limit).astype(np.int64)
    last = np.clip(np.ceil(np.maximum(a[:, 0], a[:, 0] + d[:, 0]) + radius), -1, limit - 1).astype(np.int64)
    counts = np.maximum(last - first + 1, 0)
    which = np.repeat(np.arange(len(counts)), counts)
    u = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    a, d, steep = a[which], d[which], steep[which]
    along = u + _TIE - a[:, 0]
    slope = d[:, 1] / np.where(d[:, 0] == 0, 1.0, d[:, 0])
    centre = a[:, 1] + np.clip(along * slope, np.minimum(d[:, 1], 0), np.maximum(d[:, 1], 0))
    reach = math.ceil(radius * math.sqrt(2) + 0.5)
    v = np.floor(centre + 0.5).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    near = _near(along[:, None], v + _TIE - a[:, 1, None], d, radius, pen.joints == "disc")
    x = np.where(steep[:, None], v, u[:, None])
    y = np.where(steep[:, None], u[:, None], v)
    pixels, row = _inside(x, y, near, size)
    return pixels, which[row]


def _near(du: Points, dv: Points, d: Points, radius: float, disc: bool) -> NDArray[np.bool_]:
    """Whether offsets from a segment's start lie within ``radius`` of it; ``d`` is the segment's vector."""
    square = (d[:, 0] * d[:, 0] + d[:, 1] * d[:, 1])[:, None]
    # The tie is broken across the line only: both its end pixels belong to it.
    dot = (du - _TIE) * d[:, 0, None] + (dv - _TIE) * d[:, 1, None]
    cross = dv * d[:, 0, None] - du * d[:, 1, None]
    beside = (dot >= 0) & (dot <= square) & (cross * cross <= radius * radius * square) & (square > 0)
    if not disc:
        return beside
    eu, ev = du - d[:, 0, None], dv - d[:, 1, None]
    at_ends = np.minimum(du * du + dv * dv, eu * eu + ev * ev) <= radius * radius
    return beside | at_ends


def _inside(x: Ints, y: Ints, near: NDArray[np.bool_], size: tuple[int, int]) -> tuple[Ints, Ints]:
    """Flat indices of the near pixels in the image, and the first axis' index of each."""
    width, height = size
    near = near & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return (y * width + x)[near], np.nonzero(near)[0]
