"""Class activation maps (Zhou et al., CVPR 2016, arXiv 1512.04150): where a classifier of images looks.

The classifier is a 1 x 1 convolution whose maps are averaged over the image, so the maps are the answer
before it is averaged. It has no map of the background, which no tag names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from scribblebench.ops.cells import at_cells
from scribblebench.ops.resize import resized


def pooled(maps: Tensor, valid: Tensor) -> Tensor:
    """Average maps over the cells that lie on the image.

    >>> pooled(torch.tensor([[[[1.0, 3.0, 99.0]]]]), torch.tensor([[[True, True, False]]]))
    tensor([[2.]])

    Args:
        maps: (batch, channels, h, w).
        valid: False on padding, bool (batch, pixel rows, pixel columns).

    Returns:
        (batch, channels); 0 where an image has no cell.
    """
    counted = at_cells(valid, *maps.shape[-2:])[:, None].to(maps.dtype)
    return (maps * counted).sum(dim=(2, 3)) / counted.sum(dim=(2, 3)).clamp(min=1)


def activations(
    classify: Callable[[Tensor], Tensor],
    images: Tensor,
    stride: int,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
) -> Tensor:
    """Add up the positive part of the class maps over scales of the images, and over mirrored copies.

    Args:
        classify: normalised images to class maps on the network's own grid, without the background.
        images: normalised, (batch, 3, h, w), of any size.
        stride: pixels per cell of that grid.
        scales: zooms of the image.
        flip: add a mirrored view of each.

    Returns:
        (batch, classes, h, w), at least 0.
    """
    size = images.shape[-2:]
    total = torch.zeros((), device=images.device)
    for scale in scales:
        view = resized(images, scale)
        for mirrored in (False, True)[: 1 + flip]:
            maps = _of_view(classify, view.flip(-1) if mirrored else view, stride).relu()
            maps = maps.flip(-1) if mirrored else maps
            total = total + interpolate(maps, size, mode="bilinear", align_corners=False)
    return total


def _of_view(classify: Callable[[Tensor], Tensor], view: Tensor, stride: int) -> Tensor:
    """Class maps at every pixel of images that are padded to ``k * stride + 1``."""
    height, width = view.shape[-2:]
    padded = pad(view, (0, -(width - 1) % stride, 0, -(height - 1) % stride))
    maps = interpolate(classify(padded).float(), padded.shape[-2:], mode="bilinear", align_corners=True)
    return maps[..., :height, :width]


def normalised(maps: Tensor, present: Tensor) -> Tensor:
    """Divide each map by its largest value, and leave nothing of classes that the image does not have.

    >>> normalised(torch.tensor([[[1.0, 4.0]], [[1.0, 2.0]]]), torch.tensor([True, False])).tolist()
    [[[0.25, 1.0]], [[0.0, 0.0]]]

    Args:
        maps: (classes, h, w), at least 0, without the background.
        present: the image's tags, bool (classes,).

    Returns:
        (classes, h, w) in [0, 1].
    """
    largest = maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-5)
    return torch.where(present[:, None, None], maps / largest, torch.zeros_like(maps))


def with_background(maps: Tensor, power: float) -> Tensor:
    """Put ``(1 - max over classes) ** power`` before the classes (AffinityNet, Ahn and Kwak, CVPR 2018).

    A large power leaves little to the background, a small one much.

    >>> with_background(torch.tensor([[[0.5]], [[0.25]]]), 2.0).flatten()
    tensor([0.2500, 0.5000, 0.2500])

    Args:
        maps: normalised, (classes, h, w), without the background.
        power: the publication's alpha.

    Returns:
        (1 + classes, h, w).
    """
    return torch.cat([(1 - maps.amax(dim=0, keepdim=True)) ** power, maps])
