"""One toy scene: a sea floor with clutter, creatures that hide one another, and light over all of it.

Colours say little on purpose: creatures, pebbles and weeds draw theirs from one distribution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.seeds import rng
from scribblebench.sources.toy_creatures import KINDS, Creature, Field
from scribblebench.sources.toy_floor import add_clutter, sea_floor, weed
from scribblebench.sources.toy_paint import (
    SIZE,
    Light,
    Pose,
    cover,
    creature_colour,
    mixed,
    paint,
    pixel_grid,
    random_pose,
    shaded,
    smooth_noise,
)

LEAST_VISIBLE = 60
"""Pixels that every creature shows at least."""

Shown = NDArray[np.int64]


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
        shown: int64 (97, 97), which of the creatures a pixel shows; -1 where none.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    objects: tuple[Placed, ...]
    shown: Shown


def make_scene(seed: int, image: str) -> Scene:
    """Draw one scene; it depends on the seed and the image's name alone."""
    draw = rng("toy", seed, image)
    x, y = pixel_grid()
    light = (draw.random() - 0.5, draw.random() - 0.5)
    picture = sea_floor(draw, x, y)
    add_clutter(draw, picture, x, y, light)
    placed, shown = _place_creatures(draw, x, y)
    for item in placed:
        u, v = item.pose.to_local(x, y)
        first, second = (creature_colour(draw, item.class_index - 1) for _ in range(2))
        skin = mixed(first, second * (0.25 + 0.4 * draw.random()), item.creature.pattern(u, v))
        shaded(picture, item.distance(x, y), item.pose.unit, skin, light)
    for _ in range(int(draw.integers(0, 3))):
        distance, shade = weed(draw, x, y), creature_colour(draw, None)
        covered = np.where(distance < 0, -1, shown)
        if _all_visible(covered, shown, len(placed)):
            shown = covered
            paint(picture, cover(distance), shade * 0.8)
    classes = np.array([0, *(item.class_index for item in placed)], dtype=np.uint8)
    return Scene(_lit(draw, picture, x, y, light), classes[shown + 1], tuple(placed), shown)


def _random_creature(draw: np.random.Generator) -> Placed:
    """A creature of a random kind in a random place."""
    kind = int(draw.integers(len(KINDS)))
    a, b, c, d = draw.random(4)
    creature = KINDS[kind]((a, b, c, d))
    return Placed(kind + 1, creature, random_pose(draw, creature.reach, (17.0, 29.0), 0.5))


def _place_creatures(draw: np.random.Generator, x: Field, y: Field) -> tuple[list[Placed], Shown]:
    """Place two or three creatures so that each stays visible.

    Returns:
        Them, and which one each pixel shows (-1: none).
    """
    placed: list[Placed] = []
    shown = np.full((SIZE, SIZE), -1)
    wanted = int(draw.integers(2, 4))
    for _ in range(12 * wanted):
        candidate = _random_creature(draw)
        after = np.where(candidate.distance(x, y) < 0, len(placed), shown)
        if _all_visible(after, shown, len(placed) + 1):
            placed.append(candidate)
            shown = after
        if len(placed) == wanted:
            break
    return placed, shown


def _all_visible(after: Shown, before: Shown, count: int) -> bool:
    """Each creature keeps at least 60 pixels and loses less than half of what it showed."""
    now = np.bincount(after[after >= 0], minlength=count)
    was = np.bincount(before[before >= 0], minlength=count)
    return bool((now >= LEAST_VISIBLE).all() and (2 * now >= was).all())


def _lit(draw: np.random.Generator, picture: Field, x: Field, y: Field, light: Light) -> NDArray[np.uint8]:
    """Light from one side, moving patches of it, a colour cast, haze and grain; then 8 bits."""
    slope = 1.0 + 1.1 * (light[0] * (x / SIZE - 0.5) + light[1] * (y / SIZE - 0.5))
    ripples = 0.85 + 0.3 * smooth_noise(draw, 5)
    cast = 0.85 + 0.3 * draw.random(3)
    haze = 0.18 * draw.random()
    lit = picture * (slope * ripples)[..., None] * cast * (1.0 - haze) + haze * 0.6
    # Three uniform draws make a bell of unit width; unlike normal() their stream is fixed for all numpy.
    first, second, third = (draw.random(lit.shape) for _ in range(3))
    grain = 2.0 * (first + second + third - 1.5)
    return np.rint(np.clip(lit + 0.025 * grain, 0.0, 1.0) * 255.0).astype(np.uint8)
