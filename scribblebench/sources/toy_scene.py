"""One toy scene: a sea floor with clutter, creatures that hide one another, and light over all of it.

Colours say little on purpose: creatures, pebbles and weeds draw theirs from one distribution.
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.seeds import rng
from scribblebench.sources.toy_creatures import KINDS, Creature, Field, Path, ellipse, steep, wave

SIZE = 97
LEAST_VISIBLE = 60
_HABITS = (0.58, 0.03, 0.92, 0.3, 0.13)  # the hue that each kind prefers
_HABIT_ODDS = 0.35
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


@dataclass(frozen=True)
class Placed:
    """A creature of class ``class_index`` in its place."""

    class_index: int
    creature: Creature
    pose: Pose

    def distance(self, x: Field, y: Field) -> Field:
        """Signed distance to its outline, in pixels."""
        return self.creature.distance(*self.pose.to_local(x, y)) * self.pose.unit


@dataclass(frozen=True)
class Scene:
    """What one image shows.

    Attributes:
        image: uint8 (97, 97, 3).
        mask: uint8 (97, 97), class indices.
        objects: the creatures, hindmost first.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    objects: tuple[Placed, ...]


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
    return rows[:, low] * (1.0 - t) + rows[:, low + 1] * t


def colour(draw: np.random.Generator, saturation: tuple[float, float], hue: float | None = None) -> Field:
    """A colour, RGB between 0 and 1, its saturation within two limits: of any hue, or near ``hue``."""
    spread, pale, vivid = draw.random(), *saturation
    shade = spread if hue is None else hue + 0.16 * (spread - 0.5)
    strength = pale + (vivid - pale) * draw.random()
    return np.array(colorsys.hsv_to_rgb(shade % 1.0, strength, 0.4 + 0.55 * draw.random()))


def creature_colour(draw: np.random.Generator, kind: int | None) -> Field:
    """The colour of a creature or, where ``kind`` is None, of something that passes for one."""
    odds, other = draw.random(), int(draw.integers(len(_HABITS)))
    hue = _HABITS[other if kind is None else kind] if odds < _HABIT_ODDS else None
    return colour(draw, (0.25, 0.85), hue)


def paint(image: Field, alpha: Field, layer: Field) -> None:
    """Lay a colour (3,) or a picture (h, w, 3) over the image, in place."""
    image += alpha[..., None] * (layer - image)


def cover(distance: Field) -> Field:
    """Share of each pixel inside an outline, from the signed distance in pixels."""
    return np.clip(0.5 - distance, 0.0, 1.0)


def shaded(image: Field, distance: Field, unit: float, skin: Field, light: tuple[float, float]) -> None:
    """Paint a body: its shadow on what lies below, its skin, a darker rim."""
    shift = max(1, round(0.12 * unit))
    rows, columns = (
        np.clip(np.arange(SIZE) + (shift if l > 0 else -shift), 0, SIZE - 1) for l in light[::-1]
    )
    shadow = np.clip(0.5 - distance[np.ix_(rows, columns)] / 4.0, 0.0, 1.0) * 0.45
    image *= 1.0 - shadow[..., None]
    rim = 0.7 + 0.3 * np.clip(-distance / (0.22 * unit), 0.0, 1.0)
    paint(image, cover(distance), skin * rim[..., None])


def mixed(first: Field, second: Field, share: Field) -> Field:
    """Blend two colours by a field of shares: (h, w, 3)."""
    return first + share[..., None] * (second - first)


def sea_floor(draw: np.random.Generator, x: Field, y: Field) -> Field:
    """Sand or rock in two colours, with ripples."""
    base = mixed(
        colour(draw, _PALE),
        colour(draw, _PALE),
        steep(smooth_noise(draw, int(draw.integers(2, 7))), 0.5, 2.0),
    )
    angle, pitch = np.pi * draw.random(), 5.0 + 9.0 * draw.random()
    across = (np.cos(angle) * x + np.sin(angle) * y) / pitch + 1.5 * smooth_noise(draw, 3)
    relief = 0.6 * smooth_noise(draw, 12) + 0.4 * smooth_noise(draw, 30) + 0.35 * draw.random() * wave(across)
    return base * (0.65 + 0.5 * relief)[..., None]


def patch_texture(draw: np.random.Generator, u: Field, v: Field) -> Field:
    """Stripes, dots or blotches for things that are no creature, as fine as theirs."""
    kind, rate, phase = int(draw.integers(4)), 1.5 + 2.5 * draw.random(), draw.random()
    if kind == 0:
        return steep(wave(rate * u + phase))
    if kind == 1:
        return steep(wave(rate * u + phase) * wave(rate * v), 0.42, 6.0)
    if kind == 2:
        return steep(smooth_noise(draw, 14), 0.5, 4.0)
    return np.full(u.shape, 0.2)


def add_clutter(
    draw: np.random.Generator, image: Field, x: Field, y: Field, light: tuple[float, float]
) -> None:
    """Pebbles and overgrown patches, shaded like creatures and coloured like them."""
    for _ in range(int(draw.integers(2, 7))):
        pose = random_pose(draw, 1.0, (4.0, 15.0), np.pi)
        u, v = pose.to_local(x, y)
        lumps = 0.5 * (smooth_noise(draw, 9) - 0.5)
        distance = (ellipse(u, v, (0.0, 0.0), (1.0, 0.5 + 0.5 * draw.random())) + lumps) * pose.unit
        skin = mixed(creature_colour(draw, None), creature_colour(draw, None), patch_texture(draw, u, v))
        shaded(image, distance, pose.unit, skin, light)


def weed(draw: np.random.Generator, x: Field, y: Field) -> Field:
    """Signed distance, in pixels, to a ribbon of weed that winds across the picture."""
    pose = random_pose(draw, 1.0, (30.0, 70.0), np.pi)
    u, v = pose.to_local(x, y)
    bend, rate, phase = 0.1 + 0.25 * draw.random(), 2.0 + 3.0 * draw.random(), 6.28 * draw.random()
    middle, slope = bend * np.sin(rate * u + phase), bend * rate * np.cos(rate * u + phase)
    side = np.abs(v - middle) * pose.unit / np.sqrt(1.0 + slope * slope) - (0.8 + 1.4 * draw.random())
    return np.maximum(side, (np.abs(u) - 0.9) * pose.unit)


def random_pose(draw: np.random.Generator, reach: float, units: tuple[float, float], steepest: float) -> Pose:
    """A pose anywhere in the picture, heading left or right, up to ``steepest`` radians up or down."""
    x, y = (0.1 + 0.8 * draw.random(2)) * SIZE
    unit = units[0] * (units[1] / units[0]) ** draw.random()
    tilt, hand = (2.0 * draw.random() - 1.0) * steepest, 1.0 if draw.random() < 0.5 else -1.0
    return Pose(x, y, unit * reach, tilt if hand > 0 else np.pi - tilt, hand)


def random_creature(draw: np.random.Generator) -> Placed:
    """A creature of a random kind in a random place."""
    kind = int(draw.integers(len(KINDS)))
    a, b, c, d = draw.random(4)
    creature = KINDS[kind]((a, b, c, d))
    return Placed(kind + 1, creature, random_pose(draw, creature.reach, (17.0, 29.0), 0.5))


def place_creatures(draw: np.random.Generator, x: Field, y: Field) -> tuple[list[Placed], NDArray[np.int64]]:
    """Place two to four creatures so that each stays visible; the map says which one a pixel shows (or -1)."""
    placed: list[Placed] = []
    shown = np.full((SIZE, SIZE), -1)
    wanted = int(draw.integers(2, 5))
    for _ in range(12 * wanted):
        candidate = random_creature(draw)
        after = np.where(candidate.distance(x, y) < 0, len(placed), shown)
        if _all_visible(after, shown, len(placed) + 1):
            placed.append(candidate)
            shown = after
        if len(placed) == wanted:
            break
    return placed, shown


def _all_visible(after: NDArray[np.int64], before: NDArray[np.int64], count: int) -> bool:
    """Each creature keeps at least 60 pixels and loses less than half of what it showed."""
    now = np.bincount(after[after >= 0], minlength=count)
    was = np.bincount(before[before >= 0], minlength=count)
    return bool((now >= LEAST_VISIBLE).all() and (2 * now >= was).all())


def make_scene(seed: int, image: str) -> Scene:
    """Draw one scene; it depends on the seed and the image's name alone."""
    draw = rng("toy", seed, image)
    x, y = pixel_grid()
    light = (draw.random() - 0.5, draw.random() - 0.5)
    picture = sea_floor(draw, x, y)
    add_clutter(draw, picture, x, y, light)
    placed, shown = place_creatures(draw, x, y)
    for item in placed:
        u, v = item.pose.to_local(x, y)
        first, second = (
            creature_colour(draw, item.class_index - 1),
            creature_colour(draw, item.class_index - 1),
        )
        skin = mixed(first, second * (0.25 + 0.4 * draw.random()), item.creature.pattern(u, v))
        shaded(picture, item.distance(x, y), item.pose.unit, skin, light)
    for _ in range(int(draw.integers(0, 3))):
        distance, shade = weed(draw, x, y), creature_colour(draw, None)
        covered = np.where(distance < 0, -1, shown)
        if _all_visible(covered, shown, len(placed)):
            shown = covered
            paint(picture, cover(distance), shade * 0.8)
    classes = np.array([0, *(item.class_index for item in placed)], dtype=np.uint8)
    return Scene(_lit(draw, picture, x, y, light), classes[shown + 1], tuple(placed))


def _lit(
    draw: np.random.Generator, picture: Field, x: Field, y: Field, light: tuple[float, float]
) -> NDArray[np.uint8]:
    """Light from one side, moving patches of it, a colour cast, haze and grain; then 8 bits."""
    slope = 1.0 + 1.1 * (light[0] * (x / SIZE - 0.5) + light[1] * (y / SIZE - 0.5))
    ripples = 0.85 + 0.3 * smooth_noise(draw, 5)
    cast = 0.85 + 0.3 * draw.random(3)
    haze = 0.18 * draw.random()
    lit = picture * (slope * ripples)[..., None] * cast * (1.0 - haze) + haze * 0.6
    # Three uniform draws make a bell of unit width; unlike normal() their stream is fixed for all numpy.
    grain = (
        draw.random((SIZE, SIZE, 3)) + draw.random((SIZE, SIZE, 3)) + draw.random((SIZE, SIZE, 3)) - 1.5
    ) * 2
    return np.rint(np.clip(lit + 0.025 * grain, 0.0, 1.0) * 255.0).astype(np.uint8)
