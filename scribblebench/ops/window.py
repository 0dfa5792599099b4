"""A Gaussian kernel over place and colour, cut off at a square window."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

Slices = tuple[slice, ...]


@dataclass(frozen=True)
class GaussianWindow:
    """``K_ij = exp(-|x_i - x_j|^2 / 2 xy^2 - |c_i - c_j|^2 / 2)`` for i != j within a window, else 0.

    It is symmetric, so that each pair is visited once and no unfolded copy of the image is made.

    Attributes:
        colours: (batch, channels, height, width), divided by their standard deviation.
        counted: which pixels take part, bool (batch, height, width).
        radius: largest distance along an axis, in pixels.
        xy: standard deviation over place, in pixels.
    """

    colours: Tensor
    counted: Tensor
    radius: int
    xy: float

    def disagreement(self, probabilities: Tensor) -> Tensor:
        """``sum_ij K_ij (1 - p_i . p_j)``, a scalar with gradient to p.

        Args:
            probabilities: (batch, classes, height, width).
        """
        given = probabilities.detach()
        filtered, total = self._filter(given)
        # Of value p'Kp and gradient 2Kp, without a graph of every pair.
        agreement = 2 * (probabilities * filtered).sum() - (given * filtered).sum()
        return total - agreement

    def _filter(self, values: Tensor) -> tuple[Tensor, Tensor]:
        filtered, total = torch.zeros_like(values), values.new_zeros(())
        for down, across in self._offsets():
            first, second = _overlap(down, across)
            kernel = self._kernel(first, second, down**2 + across**2).to(values.dtype)
            filtered[first].addcmul_(kernel, values[second])
            filtered[second].addcmul_(kernel, values[first])
            total += 2 * kernel.sum()
        return filtered, total

    def _offsets(self) -> Iterator[tuple[int, int]]:
        """Half of the window: the other half holds the same pairs, seen from their other end."""
        height, width = self.counted.shape[-2:]
        reach = min(self.radius, width - 1)
        for down in range(min(self.radius, height - 1) + 1):
            for across in range(-reach if down else 1, reach + 1):
                yield down, across

    def _kernel(self, first: Slices, second: Slices, distance: int) -> Tensor:
        colour = (self.colours[first] - self.colours[second]).square().sum(dim=1, keepdim=True)
        both = self.counted[:, None][first] & self.counted[:, None][second]
        return torch.exp(-0.5 * (colour + distance / self.xy**2)) * both


def _overlap(down: int, across: int) -> tuple[Slices, Slices]:
    """Where a map and the map moved by an offset overlap, as slices of either."""
    everything = slice(None)
    rows = (slice(0, -down or None), slice(down, None))
    columns = (
        slice(max(0, -across), -across if across > 0 else None),
        slice(max(0, across), across if across < 0 else None),
    )
    first, second = ((everything, everything, row, column) for row, column in zip(rows, columns, strict=True))
    return first, second
