"""Soft pseudo-labels that agree with predictions, strokes and neighbours.

Zhang and Boykov 2025, arXiv 2507.01721.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

# Below it a probability counts as this: the logarithms and quotients stay finite.
EPSILON = 1e-6
# E fell at every step at this rate and at half of it, twice as slowly.
RATE = 2.0


class Contrast(NamedTuple):
    """Weights of the edges between 4-neighbours: high where the colours are alike.

    Attributes:
        down: (batch, 1, height - 1, width), each pixel with the one below.
        across: (batch, 1, height, width - 1), each pixel with the one to its right.
    """

    down: Tensor
    across: Tensor


def contrast(colours: Tensor, counted: Tensor) -> Contrast:
    """``exp(-|c_i - c_j|^2 / 2 m)``, m being the image's mean of ``|c_i - c_j|^2``.

    >>> flat = contrast(torch.ones(1, 3, 2, 2), torch.ones(1, 2, 2) > 0)
    >>> flat.down.flatten().tolist()
    [1.0, 1.0]

    Args:
        colours: (batch, channels, height, width).
        counted: bool (batch, height, width); an edge with an end that does not count weighs 0.
    """
    (near, far), mask = _neighbours(colours), counted[:, None]
    squares = [(one - other).square().sum(dim=1, keepdim=True) for one, other in zip(near, far, strict=True)]
    both = [one & other for one, other in zip(*_neighbours(mask), strict=True)]
    total = _sum_of_images(square * inside for square, inside in zip(squares, both, strict=True))
    mean = (total / _sum_of_images(both).clamp(min=1)).clamp(min=EPSILON)
    down, across = (torch.exp(-s / (2 * mean)) * inside for s, inside in zip(squares, both, strict=True))
    return Contrast(down, across)


def _sum_of_images(of_edges: Iterable[Tensor]) -> Tensor:
    return torch.stack([edges.sum(dim=(1, 2, 3)) for edges in of_edges]).sum(dim=0)[:, None, None, None]


@dataclass(frozen=True)
class SoftLabels:
    """The energy of soft labels y of one batch, and its descent.

    ``E(y) = sum_i -ln(s_i . y_i) + smoothness sum_ij w_ij -ln(y_i . y_j / |y_i| |y_j|)``: collision
    cross-entropy to the predictions s and collision divergence of 4-neighbours. Labels of strokes are one-hot
    and stay.

    Attributes:
        predictions: s, (batch, classes, height, width), without gradient.
        fixed: where a stroke gives the label, bool (batch, 1, height, width).
        classes: those labels, long (batch, 1, height, width); anything elsewhere.
        edges: w.
        smoothness: the paper's lambda / eta.
    """

    predictions: Tensor
    fixed: Tensor
    classes: Tensor
    edges: Contrast
    smoothness: float

    def start(self) -> Tensor:
        """The predictions, and the strokes' own labels."""
        one_hot = torch.zeros_like(self.predictions).scatter_(1, self.classes * self.fixed, 1.0)
        return torch.where(self.fixed, one_hot, self.predictions)

    def energy(self, labels: Tensor) -> Tensor:
        """E(y), a scalar; predictions of stroke pixels add a constant."""
        unary = -torch.log((self.predictions * labels).sum(dim=1).clamp(min=EPSILON)).sum()
        unit = labels / labels.norm(dim=1, keepdim=True)
        pairs = sum(
            (weight * -torch.log((near * far).sum(dim=1, keepdim=True).clamp(min=EPSILON))).sum()
            for weight, near, far in zip(self.edges, *_neighbours(unit), strict=True)
        )
        return unary + self.smoothness * pairs

    def descend(self, steps: int) -> Tensor:
        """Lower E from ``start`` by gradient steps on the logits of y.

        Each pixel's step is divided by the sum of its terms' weights, so that one rate fits all.
        """
        labels = self.start()
        logits = labels.clamp(min=EPSILON).log()
        scale = RATE / (1 + self.smoothness * self._degree)
        for _ in range(steps):
            logits.addcmul_(self.slope(labels), scale, value=-1)
            labels = torch.where(self.fixed, labels, torch.softmax(logits, dim=1))
        return labels

    def slope(self, labels: Tensor) -> Tensor:
        """Gradient of E to the logits of y.

        ``y - y s / (s . y)``, and ``w (y^2 / |y|^2 - y y' / (y . y'))`` for each neighbour y'.
        """
        pull = labels * (self.smoothness * self._degree / _dot(labels, labels)) + 1
        pull.addcmul_(self.predictions, 1 / _dot(self.predictions, labels), value=-1)
        ends = zip(self.edges, *_neighbours(labels), *_neighbours(pull), strict=True)
        for weight, near, far, pull_near, pull_far in ends:
            strength = self.smoothness * weight / _dot(near, far)
            pull_near.addcmul_(far, strength, value=-1)
            pull_far.addcmul_(near, strength, value=-1)
        return pull.mul_(labels)

    @cached_property
    def _degree(self) -> Tensor:
        """Sum of each pixel's edges, (batch, 1, height, width)."""
        down, across = self.edges
        return pad(down, (0, 0, 0, 1)) + pad(down, (0, 0, 1, 0)) + pad(across, (0, 1)) + pad(across, (1, 0))


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return (one * other).sum(dim=1, keepdim=True).clamp(min=EPSILON**2)


def _neighbours(maps: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """The first ends of the edges down and across, and their second ends."""
    return (maps[:, :, :-1], maps[..., :-1]), (maps[:, :, 1:], maps[..., 1:])
