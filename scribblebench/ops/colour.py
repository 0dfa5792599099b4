"""Colours as networks and as losses see them."""

from __future__ import annotations

import torch
from torch import Tensor

# ImageNet's mean and standard deviation of RGB in [0, 1], as torchvision's weights were trained with.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


def normalise(pixels: Tensor) -> Tensor:
    """Turn uint8 or 0-255 float images (batch, 3, h, w) into torchvision's normalised float32.

    >>> normalise(torch.full((1, 3, 1, 1), 255.0)).flatten()
    tensor([2.2489, 2.4286, 2.6400])
    """
    mean, std = (_channels(values, pixels.device) * 255 for values in (MEAN, STD))
    return (pixels.float() - mean) / std


def rgb(images: Tensor) -> Tensor:
    """Turn normalised images (batch, 3, h, w) back into RGB in [0, 1].

    >>> rgb(normalise(torch.full((1, 3, 1, 1), 51.0))).flatten()
    tensor([0.2000, 0.2000, 0.2000])
    """
    return images * _channels(STD, images.device) + _channels(MEAN, images.device)


def _channels(values: tuple[float, ...], device: torch.device) -> Tensor:
    return torch.tensor(values, device=device).view(1, 3, 1, 1)
