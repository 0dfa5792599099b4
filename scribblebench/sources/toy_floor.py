"""The toy's background: a sea floor, things on it that look like creatures, weed that hides them."""

from __future__ import annotations

import numpy as np

from scribblebench.sources.toy_creatures import Field, ellipse, steep, wave
from scribblebench.sources.toy_paint import (
    Light,
    creature_colour,
    floor_colour,
    mixed,
    random_pose,
    shaded,
    smooth_noise,
)


def sea_floor(draw: np.random.Generator, x: Field, y: Field) -> Field:
    """Sand or rock in two colours, with ripples."""
    one, other = (floor_colour(draw) for _ in range(2))
    base = mixed(one, other, steep(smooth_noise(draw, int(draw.integers(2, 7))), 0.5, 2.0))
    angle, pitch = np.pi * draw.random(), 5.0 + 9.0 * draw.random()
    across = (np.cos(angle) * x + np.sin(angle) * y) / pitch + 1.5 * smooth_noise(draw, 3)
    relief = 0.6 * smooth_noise(draw, 12) + 0.4 * smooth_noise(draw, 30) + 0.35 * draw.random() * wave(across)
    return base * (0.65 + 0.5 * relief)[..., None]


def _patch_texture(draw: np.random.Generator, u: Field, v: Field) -> Field:
    """Stripes, dots or blotches for things that are no creature, as fine as theirs."""
    kind, rate, phase = int(draw.integers(4)), 1.5 + 2.5 * draw.random(), draw.random()
    if kind == 0:
        return steep(wave(rate * u + phase))
    if kind == 1:
        return steep(wave(rate * u + phase) * wave(rate * v), 0.42, 6.0)
    if kind == 2:
        return steep(smooth_noise(draw, 14), 0.5, 4.0)
    return np.full(u.shape, 0.2)


def add_clutter(draw: np.random.Generator, image: Field, x: Field, y: Field, light: Light) -> None:
    """Pebbles and overgrown patches, shaded like creatures and coloured like them."""
    for _ in range(int(draw.integers(2, 7))):
        pose = random_pose(draw, 1.0, (4.0, 15.0), np.pi)
        u, v = pose.to_local(x, y)
        lumps = 0.5 * (smooth_noise(draw, 9) - 0.5)
        distance = (ellipse(u, v, (0.0, 0.0), (1.0, 0.5 + 0.5 * draw.random())) + lumps) * pose.unit
        skin = mixed(creature_colour(draw, None), creature_colour(draw, None), _patch_texture(draw, u, v))
        shaded(image, distance, pose.unit, skin, light)


def weed(draw: np.random.Generator, x: Field, y: Field) -> Field:
    """Signed distance, in pixels, to a ribbon of weed that winds across the picture."""
    pose = random_pose(draw, 1.0, (30.0, 70.0), np.pi)
    u, v = pose.to_local(x, y)
    bend, rate, phase = 0.1 + 0.25 * draw.random(), 2.0 + 3.0 * draw.random(), 6.28 * draw.random()
    middle, slope = bend * np.sin(rate * u + phase), bend * rate * np.cos(rate * u + phase)
    side = np.abs(v - middle) * pose.unit / np.sqrt(1.0 + slope * slope) - (0.8 + 1.4 * draw.random())
    return np.maximum(side, (np.abs(u) - 0.9) * pose.unit)
