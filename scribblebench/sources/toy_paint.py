"""What the toy scenes are painted with: poses, colours, noise, shading.

Only uniform draws are used, whose stream no numpy changes, and arithmetic that is the same everywhere but for
the last bit of a sine; a picture is rounded to 8 bits once, at the end.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from scribblebench.sources.toy_creatures import Field, Path

SIZE = 97
"""Side of every picture, in pixels: 12 x 8 + 1."""

Light = tuple[float, float]

_HABITS = (0.58, 0.03, 0.92, 0.3, 0.13)  # the hue that each kind prefers
_HABIT_ODDS = 0.35
_VIVID = (0.25, 0.85)
_PALE = (0.05, 0.5)


@dataclass(frozen=True)
class Pose:
    """Where an object lies: centre and unit length in pixels, angle in radians, and its handedness."""

    x: float
    y: float
    unit: float
    angle: float
    hand: float

    def to_local(self, x: Field, y: Field) -> tuple[Field, Field]:
        """Pixel coordinates in the object's own frame."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        dx, dy = (x - self.x) / self.unit, (y - self.y) / self.unit
        return c * dx + s * dy, self.hand * (c * dy - s * dx)

    def to_image(self, points: Path) -> Path:
        """The inverse, for a polyline (n, 2)."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        u, v = points[:, 0] * self.unit, points[:, 1] * self.unit * self.hand
        return np.stack([self.x + c * u - s * v, self.y + s * u + c * v], axis=1)


def random_pose(draw: np.random.Generator, reach: float, units: tuple[float, float], steepest: float) -> Pose:
    """A pose anywhere in the picture, heading left or right, up to ``steepest`` radians up or down."""
    x, y = (0.1 + 0.8 * draw.random(2)) * SIZE
    unit = units[0] * (units[1] / units[0]) ** draw.random()
    tilt, hand = (2.0 * draw.random() - 1.0) * steepest, 1.0 if draw.random() < 0.5 else -1.0
    return Pose(x, y, unit * reach, tilt if hand > 0 else np.pi - tilt, hand)


def pixel_grid() -> tuple[Field, Field]:
    """Pixel coordinates x and y, float64 (97, 97)."""
    axis = np.arange(SIZE, dtype=np.float64)
    return np.broadcast_to(axis, (SIZE, SIZE)), np.broadcast_to(axis[:, None], (SIZE, SIZE))


def smooth_noise(draw: np.random.Generator, cells: int) -> Field:
    """Value noise between 0 and 1: random numbers on a grid, blended smoothly."""
    grid = draw.random((cells + 2, cells + 2))
    place = np.arange(SIZE) * (cells / SIZE) + draw.random()
    low = np.floor(place).astype(np.int64)
    t = place - low
    t = t * t * (3.0 - 2.0 * t)
    rows = grid[low] * (1.0 - t)[:, None] + grid[low + 1] * t[:, None]
    noise: Field = rows[:, low] * (1.0 - t) + rows[:, low + 1] * t
    return noise


def _colour(draw: np.random.Generator, saturation: tuple[float, float], hue: float | None = None) -> Field:
    """A colour, RGB between 0 and 1, its saturation within two limits: of any hue, or near ``hue``."""
    spread, pale, vivid = draw.random(), *saturation
    shade = spread if hue is None else hue + 0.16 * (spread - 0.5)
    strength = pale + (vivid - pale) * draw.random()
    return np.array(colorsys.hsv_to_rgb(shade % 1.0, strength, 0.4 + 0.55 * draw.random()))


def creature_colour(draw: np.random.Generator, kind: int | None) -> Field:
    """The colour of a creature or, where ``kind`` is None, of something that passes for one."""
    odds, other = draw.random(), int(draw.integers(len(_HABITS)))
    hue = _HABITS[other if kind is None else kind] if odds < _HABIT_ODDS else None
    return _colour(draw, _VIVID, hue)


def floor_colour(draw: np.random.Generator) -> Field:
    """A colour of the sea floor: any hue, often pale."""
    return _colour(draw, _PALE)


def cover(distance: Field) -> Field:
    """Share of each pixel inside an outline, from the signed distance in pixels."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def paint(image: Field, alpha: Field, layer: Field) -> None:
    """Lay a colour (3,) or a picture (h, w, 3) over the image, in place."""
    image += alpha[..., None] * (layer - image)


def mixed(first: Field, second: Field, share: Field) -> Field:
    """Blend two colours by a field of shares: (h, w, 3)."""
    return first + share[..., None] * (second - first)


def shaded(image: Field, distance: Field, unit: float, skin: Field, light: Light) -> None:
    """Paint a body: its shadow on what lies below, its skin, a darker rim."""
    shift = max(1, round(0.12 * unit))
    rows, columns = (
        np.clip(np.arange(SIZE) + (shift if l > 0 else -shift), 0, SIZE - 1) for l in light[::-1]
    )
    shadow = np.clip(0.5 - distance[np.ix_(rows, columns)] / 4.0, 0.0, 1.0) * 0.45
    image *= 1.0 - shadow[..., None]
    rim = 0.7 + 0.3 * np.clip(-distance / (0.22 * unit), 0.0, 1.0)
    paint(image, cover(distance), skin * rim[..., None])
