"""One network on several scales of an image: the largest of their logits (DeepLab's multi-scale inputs).

Chen et al. (2017, arXiv 1606.00915) run shared weights on an image and on copies of 0.75 and 0.5 of its
size, and fuse the score maps by their element-wise maximum. A head with several ``scales`` has this
arithmetic for its own: who changes it raises the rule of the heads whose cards use it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.ops.step import Output


def rescaled(images: Tensor, scale: float, stride: int) -> Tensor:
    """Zoom images so that the outer cells still lie on the outer pixels.

    Args:
        images: (batch, 3, h, w), sides ``k * stride + 1``.
        scale: the zoom; k becomes the nearest integer to ``scale * k``, at least 1.
        stride: pixels per cell of the network's grid.

    >>> rescaled(torch.zeros(1, 3, 97, 33), 0.75, 8).shape[-2:]
    torch.Size([73, 25])
    """
    size = [max(1, round(scale * (side - 1) / stride)) * stride + 1 for side in images.shape[-2:]]
    return interpolate(images, size, mode="bilinear", align_corners=True)


def fused(output: Output, others: Sequence[Tensor | None]) -> Output:
    """Take the largest logit of any scale, at the grid of the image itself.

    Args:
        output: the network's, of the image itself; all but its logits stays.
        others: logits of the other scales, (batch, classes, any h, any w).
    """
    scales = tuple(logits for logits in (output.logits, *others) if logits is not None)
    grid = scales[0].shape[-2:]
    same = [interpolate(logits, grid, mode="bilinear", align_corners=True) for logits in scales[1:]]
    largest = torch.stack([scales[0], *same]).amax(dim=0)
    return dataclasses.replace(output, logits=largest, scales=scales)
