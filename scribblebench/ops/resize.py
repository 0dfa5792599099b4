"""Images at another size."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import interpolate


def resized(images: Tensor, zoom: float) -> Tensor:
    """Return images with sides times ``zoom``, at least one pixel; at 1 the same ones.

    >>> import torch
    >>> resized(torch.zeros(1, 3, 10, 15), 0.5).shape
    torch.Size([1, 3, 5, 8])

    Args:
        images: (batch, channels, h, w).
        zoom: of both sides; bilinear between pixels' centres.
    """
    if zoom == 1:
        return images
    target = [max(1, round(side * zoom)) for side in images.shape[-2:]]
    return interpolate(images, target, mode="bilinear", align_corners=False)
