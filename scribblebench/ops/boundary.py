"""Where a photograph has edges: a boundary map computed from colours alone."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, pad

# A constant image has no mean gradient to compare with.
_EPSILON = 1e-12


def boundary_map(images: Tensor, valid: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Compare the gradient of the smoothed colours with its mean in the image.

    ``b = 1 - exp(-|g|^2 / 2 m)``, where ``|g|^2`` is the squared gradient summed over the channels and m its
    mean over the pixels that count: those at least a kernel's radius away from padding.

    Args:
        images: (batch, channels, h, w), anything on padding.
        valid: False on padding, bool (batch, h, w).
        sigma: standard deviation of the Gaussian, in pixels.

    Returns:
        The map in [0, 1), (batch, h, w), and which of its pixels count, bool (batch, h, w).
    """
    squared = squared_gradient(images, sigma)
    reach = _radius(sigma)
    padding = max_pool2d((~valid[:, None]).float(), 2 * reach + 1, stride=1, padding=reach)[:, 0]
    counted = padding == 0
    total = (squared * counted).sum(dim=(1, 2)) / counted.sum(dim=(1, 2)).clamp(min=1)
    return 1 - torch.exp(-squared / (2 * total.clamp(min=_EPSILON)[:, None, None])), counted


def squared_gradient(images: Tensor, sigma: float) -> Tensor:
    """Square the Gaussian gradient and sum it over the channels.

    Args:
        images: (batch, channels, h, w), sides larger than the kernel's radius of 4 ``sigma``; mirrored at
            the border, without the outer pixel twice.
        sigma: standard deviation of the Gaussian, in pixels.

    Returns:
        (batch, h, w).
    """
    radius = _radius(sigma)
    place = torch.arange(-radius, radius + 1, device=images.device, dtype=images.dtype)
    smooth = torch.exp(-place.square() / (2 * sigma**2))
    smooth = smooth / smooth.sum()
    slope = place / sigma**2 * smooth
    flat = images.flatten(0, 1)[:, None]
    padded = pad(flat, (radius,) * 4, mode="reflect")
    rows = conv2d(conv2d(padded, slope.view(1, 1, -1, 1)), smooth.view(1, 1, 1, -1))
    columns = conv2d(conv2d(padded, smooth.view(1, 1, -1, 1)), slope.view(1, 1, 1, -1))
    return (rows.square() + columns.square()).view_as(images).sum(dim=1)


def _radius(sigma: float) -> int:
    return int(4 * sigma + 0.5)
