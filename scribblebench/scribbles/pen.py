"""The pen: which pixels a segment or a point touches. One geometric rule in place of a library's own."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from scribblebench.scribbles.stroke import Points

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


def dot(centre: Points, pen: Pen) -> tuple[Ints, Ints]:
    """Return x and y of the pixels of a single point.

    Args:
        centre: (2,).
        pen: how.
    """
    radius = pen.width / 2
    reach = math.ceil(radius + 0.5)
    x, y = np.floor(centre + 0.5).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    dx, dy = x + _TIE - centre[0], (y + _TIE - centre[1])[:, None]
    if pen.point == "none":
        near = np.zeros((len(y), len(x)), dtype=bool)
    elif pen.point == "square":
        near = (np.abs(dx) <= radius) & (np.abs(dy) <= radius)
    else:
        near = dx * dx + dy * dy <= radius * radius
    row, column = np.nonzero(near)
    return x[column], y[row]


def segments(start: Points, stop: Points, pen: Pen) -> tuple[Ints, Ints]:
    """Return x and y of the pixels of segments, those of an earlier segment first.

    Along its longer axis a segment is walked pixel by pixel; across it, only the few pixels that can be
    near enough are tested.

    Args:
        start: (n, 2).
        stop: (n, 2).
        pen: how.
    """
    radius = pen.width / 2
    d = stop - start
    steep = np.abs(d[:, 1]) > np.abs(d[:, 0])
    # From here on columns are (u, v): position along the longer and the shorter axis.
    a = np.where(steep[:, None], start[:, ::-1], start)
    d = np.where(steep[:, None], d[:, ::-1], d)
    first = np.floor(np.minimum(a[:, 0], a[:, 0] + d[:, 0]) - radius).astype(np.int64)
    last = np.ceil(np.maximum(a[:, 0], a[:, 0] + d[:, 0]) + radius).astype(np.int64)
    counts = last - first + 1
    u = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts - first, counts)
    a, d, steep = (np.repeat(value, counts, axis=0) for value in (a, d, steep))
    v = _across(u, a, d, math.ceil(radius * math.sqrt(2) + 0.5))
    du, dv = u[:, None] + _TIE - a[:, :1], np.asarray(v + _TIE - a[:, 1:], dtype=np.float64)
    near = _near(du, dv, d, radius, pen.joints == "disc")
    x, y = np.where(steep[:, None], v, u[:, None]), np.where(steep[:, None], u[:, None], v)
    return x[near], y[near]


def _across(u: Ints, a: Points, d: Points, reach: int) -> Ints:
    """Candidates across the segment, (n, 2 reach + 1), centred on it or on its nearer end."""
    slope = d[:, 1] / np.where(d[:, 0] == 0, 1.0, d[:, 0])
    low, high = np.minimum(d[:, 1], 0), np.maximum(d[:, 1], 0)
    centre = a[:, 1] + np.clip((u - a[:, 0]) * slope, low, high)
    candidates: Ints = np.floor(centre + 0.5).astype(np.int64)[:, None] + np.arange(-reach, reach + 1)
    return candidates


def _near(du: Points, dv: Points, d: Points, radius: float, disc: bool) -> NDArray[np.bool_]:
    """Whether offsets from a segment's start lie within ``radius`` of it; ``d`` is the segment's vector."""
    d0, d1 = d[:, :1], d[:, 1:]
    square = d0 * d0 + d1 * d1
    # The tie is broken across the line only: both its end pixels belong to it.
    dot = (du - _TIE) * d0 + (dv - _TIE) * d1
    cross = dv * d0 - du * d1
    beside = (dot >= 0) & (dot <= square) & (cross * cross <= radius * radius * square) & (square > 0)
    if not disc:
        return beside
    eu, ev = du - d0, dv - d1
    return beside | (np.minimum(du * du + dv * dv, eu * eu + ev * ev) <= radius * radius)
