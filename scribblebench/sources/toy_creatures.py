"""The five kinds of object in the toy scenes: outline, texture, and where a person would draw through them.

Each lives in a local frame in which it is about two units long, heads along ``u``; outlines are signed
distances in those units (negative inside), approximate away from the edge.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]
Path = NDArray[np.float64]


@dataclass(frozen=True)
class Creature(ABC):
    """One individual.

    Attributes:
        traits: four uniform numbers from [0, 1) that make it differ from others of its kind.
        reach: length of its kind, in units of a usual one.
    """

    traits: tuple[float, float, float, float]
    reach: ClassVar[float] = 1.0

    @abstractmethod
    def distance(self, u: Field, v: Field) -> Field:
        """Signed distance to the outline."""

    @abstractmethod
    def pattern(self, u: Field, v: Field) -> Field:
        """Share of the second colour, between 0 and 1."""

    @abstractmethod
    def spines(self) -> list[Path]:
        """Polylines (n, 2) in the local frame along which a person may draw; the first is the usual one."""


def wave(phase: Field) -> Field:
    """Triangle wave between 0 and 1 of period 1: the texture maker, exact where a sine is not.

    >>> wave(np.array([0.0, 0.25, 0.5, 1.0]))
    array([0. , 0.5, 1. , 0. ])
    """
    return 1.0 - np.abs(2.0 * (phase - np.floor(phase)) - 1.0)


def steep(value: Field, threshold: float = 0.5, slope: float = 5.0) -> Field:
    """Turn a wave into stripes with soft borders.

    >>> steep(np.array([0.0, 0.5, 1.0]))
    array([0. , 0.5, 1. ])
    """
    return np.clip((value - threshold) * slope + 0.5, 0.0, 1.0)


def ellipse(u: Field, v: Field, centre: tuple[float, float], radii: tuple[float, float]) -> Field:
    """Approximate signed distance to an upright ellipse."""
    x, y = (u - centre[0]) / radii[0], (v - centre[1]) / radii[1]
    return (np.sqrt(x * x + y * y) - 1.0) * min(radii)


def union(*fields: Field) -> Field:
    """The smallest of several fields: of signed distances, the distance to their union."""
    smallest = fields[0]
    for field in fields[1:]:
        smallest = np.minimum(smallest, field)
    return smallest


def turned(u: Field, v: Field, angle: float) -> tuple[Field, Field]:
    """Coordinates in a frame turned by ``angle`` (radians)."""
    c, s = np.cos(angle), np.sin(angle)
    return c * u + s * v, c * v - s * u


def line(*points: tuple[float, float]) -> Path:
    """Corner points as a polyline."""
    return np.array(points, dtype=np.float64)


class Fish(Creature):
    """A slender body with a forked tail and a back fin; bands across the body."""

    def distance(self, u: Field, v: Field) -> Field:
        """Body, tail and fin together."""
        body = ellipse(u, v, (0.2, 0.0), (0.78, 0.34 + 0.12 * self.traits[0]))
        tail = np.maximum(np.abs(v) - 0.08 - 0.75 * (-0.42 - u), u + 0.4)
        tail = np.maximum(tail, -0.98 - u + 0.35 * (0.4 - np.abs(v)))
        fin = np.maximum(np.maximum(-0.62 - v, u - 0.45), -0.25 - u - 0.7 * (v + 0.3))
        return union(body, tail, np.maximum(fin, v))

    def pattern(self, u: Field, v: Field) -> Field:
        """Bands across the body, and an eye."""
        bands = steep(wave((1.9 + 1.2 * self.traits[1]) * (u + 0.25 * v * v) + self.traits[2]))
        return np.where(ellipse(u, v, (0.7, -0.1), (0.1, 0.1)) < 0, 1.0 - bands, bands)

    def spines(self) -> list[Path]:
        """From the mouth to the tail."""
        return [line((0.85, 0.0), (0.2, 0.04), (-0.4, 0.0), (-0.75, -0.03)), line((0.3, -0.25), (0.2, 0.25))]


class Starfish(Creature):
    """Five tapering arms; rows of warts along them."""

    reach = 1.1

    def _folded(self, u: Field, v: Field) -> tuple[Field, Field]:
        fifth = 2 * np.pi / 5
        turn = np.round(np.arctan2(v, u) / fifth) * fifth
        c, s = np.cos(turn), np.sin(turn)
        return c * u + s * v, np.abs(c * v - s * u)

    def distance(self, u: Field, v: Field) -> Field:
        """The border of one arm, folded onto all five."""
        along, across = self._folded(u, v)
        root = 0.3 + 0.08 * self.traits[0]
        side = (across - root * (1.0 - along) - 0.07) * 0.95
        return np.maximum(side, along - 0.95)

    def pattern(self, u: Field, v: Field) -> Field:
        """Warts, denser than on any other kind."""
        along, across = self._folded(u, v)
        rows = 3.6 + 0.8 * self.traits[1]
        return steep(wave(rows * along + self.traits[2]) * wave(rows * across + 0.5), 0.42, 6.0)

    def spines(self) -> list[Path]:
        """From the tip of an arm over the middle to another."""
        tips = [(0.75 * np.cos(a), 0.75 * np.sin(a)) for a in 2 * np.pi / 5 * np.arange(5)]
        first = int(5 * self.traits[3])
        one, two, three = tips[first], tips[(first + 2) % 5], tips[(first + 4) % 5]
        return [line(one, (0.0, 0.0), two), line((0.0, 0.0), three)]


class Shell(Creature):
    """A scallop: a fan with ribs that run together at the hinge."""

    reach = 0.95

    def _polar(self, u: Field, v: Field) -> tuple[Field, Field]:
        return np.sqrt((u + 0.8) ** 2 + v * v), np.arctan2(v, u + 0.8)

    def distance(self, u: Field, v: Field) -> Field:
        """A sector with a scalloped rim, and two ears beside the hinge."""
        radius, angle = self._polar(u, v)
        ribs = wave(self._ribs() * angle)
        rim = radius - 1.55 + 0.55 * angle * angle - 0.08 * ribs
        fan = np.maximum(rim, (np.abs(angle) - 0.95) * radius)
        ears = np.maximum(np.abs(u + 0.66) - 0.14, np.abs(v) - 0.4)
        return np.minimum(fan, ears)

    def _ribs(self) -> float:
        return 3.0 + 1.0 * self.traits[1]

    def pattern(self, u: Field, v: Field) -> Field:
        """Ribs from the hinge outwards, with one or two growth lines."""
        radius, angle = self._polar(u, v)
        growth = steep(wave(1.3 * radius + self.traits[2]), 0.85)
        return np.maximum(steep(wave(self._ribs() * angle)), growth)

    def spines(self) -> list[Path]:
        """Across the fan, or from the hinge to the rim."""
        arc = line((-0.1, -0.55), (0.3, -0.4), (0.45, 0.0), (0.3, 0.4), (-0.1, 0.55))
        rib = line((-0.6, 0.0), (0.0, 0.05), (0.6, 0.0))
        return [arc, rib] if self.traits[3] < 0.5 else [rib, arc]


class Turtle(Creature):
    """An oval shell of plates, a head and four flippers."""

    reach = 1.05

    def distance(self, u: Field, v: Field) -> Field:
        """Shell, head, tail and flippers together."""
        parts = [
            self._shell(u, v),
            ellipse(u, v, (0.84, 0.0), (0.2, 0.16)),
            ellipse(u, v, (-0.72, 0), (0.15, 0.06)),
        ]
        side = np.abs(v)
        for centre, angle, radii in (((0.48, 0.62), 2.2, (0.42, 0.14)), ((-0.5, 0.48), -2.5, (0.26, 0.12))):
            along, across = turned(u - centre[0], side - centre[1], angle + 0.3 * (self.traits[0] - 0.5))
            parts.append(ellipse(along, across, (0.0, 0.0), radii))
        return union(*parts)

    def _shell(self, u: Field, v: Field) -> Field:
        return ellipse(u, v, (0.0, 0.0), (0.66, 0.5 + 0.06 * self.traits[1]))

    def pattern(self, u: Field, v: Field) -> Field:
        """Dark seams between the plates of the shell; plain dark skin elsewhere."""
        size = 2.3 + 0.6 * self.traits[2]
        lattice = [wave(size * u), wave(size * (0.5 * u + 0.87 * v)), wave(size * (0.5 * u - 0.87 * v))]
        seams = steep(1.0 - union(*lattice), 0.72, 6.0)
        return np.where(self._shell(u, v) < 0, seams, 0.75)

    def spines(self) -> list[Path]:
        """From head to tail, or across the shell."""
        length = line((0.85, 0.0), (0.3, 0.05), (-0.5, -0.05))
        return [length, line((0.1, -0.42), (0.0, 0.0), (0.1, 0.42))]


class Eel(Creature):
    """A long winding body with a dark stripe along each side."""

    reach = 1.45

    def _spine(self, u: Field) -> tuple[Field, Field]:
        """Height and slope of the midline."""
        bend, turn = 0.16 + 0.14 * self.traits[0], 3.4 + 1.2 * self.traits[1]
        phase = turn * u + 6.28 * self.traits[2]
        return bend * np.sin(phase), bend * turn * np.cos(phase)

    def _offset(self, u: Field, v: Field) -> Field:
        height, slope = self._spine(u)
        return (v - height) / np.sqrt(1.0 + slope * slope)

    def _half_width(self, u: Field) -> Field:
        return 0.1 + 0.08 * np.clip(u + 1.0, 0.0, 1.0)

    def distance(self, u: Field, v: Field) -> Field:
        """A tube that tapers towards the tail."""
        side = np.abs(self._offset(u, v)) - self._half_width(u)
        beyond = np.abs(u) - 0.86
        round_end = np.sqrt(np.maximum(beyond, 0.0) ** 2 + self._offset(u, v) ** 2) - self._half_width(u)
        return np.where(beyond > 0, round_end, side)

    def pattern(self, u: Field, v: Field) -> Field:
        """Two stripes along the body."""
        return steep(np.abs(self._offset(u, v)) / self._half_width(u), 0.45, 4.0)

    def spines(self) -> list[Path]:
        """Along the midline."""
        u = np.linspace(-0.85, 0.9, 15)
        return [np.stack([u, self._spine(u)[0]], axis=1)]


# In the order of the classes of the dataset card, background left out.
KINDS: tuple[type[Creature], ...] = (Fish, Starfish, Shell, Turtle, Eel)
