"""Label maps at the places of a crop's pixels."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from scribblebench.loading.transfer import send


def nearest(labels: Tensor, at: Tensor) -> Tensor:
    """Read the label under the centre of each pixel.

    Args:
        labels: uint8 (batch, 1, H, W).
        at: where the pixels lie, inside, as y, x, (batch, side, side, 2).

    Returns:
        long (batch, side, side).
    """
    return _read(labels, *at.round().long().unbind(dim=-1))


def reach(scale: Tensor) -> Tensor:
    """How many pixels of the image the footprint of a pixel reaches from its centre, int64 (batch,).

    >>> reach(torch.tensor([0.25, 0.5, 1.0, 2.0]))
    tensor([2, 1, 1, 1])
    """
    return (0.5 / scale).ceil().long()


def footprint(labels: Tensor, at: Tensor, scale: Tensor, ignore: int) -> Tensor:
    """Read the label nearest to the centre of each pixel within the square of the image that it shows.

    A crop at zoom 1/4 reads every fourth pixel, and a stroke 3 pixels wide has gaps there; the squares of its
    pixels leave none. At zooms of 1 and more it is ``nearest``.

    Args:
        labels: uint8 (batch, 1, H, W), filled with the ignore index beside an image.
        at: where the pixels lie, inside, as y, x, (batch, side, side, 2).
        scale: zoom of each image, (batch,), on the CPU.
        ignore: the label of pixels that have none.

    Returns:
        long (batch, side, side).
    """
    half = send(0.5 / scale, at.device)[:, None, None]
    around = math.ceil(0.5 / float(scale.min()))
    middle = at.round().long()
    best = nearest(labels, at)
    distance = torch.where(best != ignore, -1.0, torch.inf)  # under the centre: nothing is nearer
    for dy in range(-around, around + 1):
        for dx in range(-around, around + 1):
            y, x = middle[..., 0] + dy, middle[..., 1] + dx
            away_y, away_x = (y - at[..., 0]).abs(), (x - at[..., 1]).abs()
            inside = (away_y < half) & (away_x < half) & _within(labels, y, x)
            found = _read(labels, y.clamp(0, labels.shape[2] - 1), x.clamp(0, labels.shape[3] - 1))
            length = away_y.square() + away_x.square()
            nearer = inside & (found != ignore) & (length < distance)
            best, distance = torch.where(nearer, found, best), torch.where(nearer, length, distance)
    return best


def _within(labels: Tensor, y: Tensor, x: Tensor) -> Tensor:
    return (y >= 0) & (y < labels.shape[2]) & (x >= 0) & (x < labels.shape[3])


def _read(labels: Tensor, y: Tensor, x: Tensor) -> Tensor:
    return labels[torch.arange(len(labels), device=labels.device)[:, None, None], 0, y, x].long()
