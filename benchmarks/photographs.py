"""Photographs with probabilities as of a network, and the public dense CRF: for benchmark and tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, one_hot

from scribblebench.refine.dense_crf import DenseCrf

CLASSES, STRIDE = 21, 8
# About 0.9 confident on average, 2 % wrong, and blurred at the edges of objects.
_CONFIDENCE, _NOISE = 6.0, 1.5


def of_voc(folder: Path, split: str, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Read the first photographs of a split in VOC's layout.

    Yields:
        The photograph uint8 (h, w, 3) and its classes (h, w), void as background.
    """
    for image_id in (folder / f"ImageSets/SegmentationAug/{split}.txt").read_text("utf-8").split()[:count]:
        picture = Image.open(folder / f"JPEGImages/{image_id}.jpg").convert("RGB")
        mask = np.array(Image.open(folder / f"SegmentationClassAug/{image_id}.png"))
        mask[mask == 255] = 0
        yield torch.from_numpy(np.array(picture)), torch.from_numpy(mask).long()


def synthetic(height: int, width: int, seed: int) -> tuple[Tensor, Tensor]:
    """Paint three smoothly shaded, grainy ellipses: a photograph's statistics without a photograph."""
    draw = torch.Generator().manual_seed(seed)
    rows = torch.linspace(0, 1, height)[:, None]
    columns = torch.linspace(0, 1, width)
    shade = torch.randn(1, 3, 6, 8, generator=draw)
    colours = 110 + 45 * interpolate(shade, (height, width), mode="bicubic", align_corners=False)[0]
    mask = torch.zeros(height, width, dtype=torch.long)
    for _ in range(3):
        y, x, tall, wide = torch.rand(4, generator=draw).mul(0.6).add(0.2)
        inside = ((rows - y) / (tall / 2)) ** 2 + ((columns - x) / (wide / 2)) ** 2 < 1
        mask[inside] = int(torch.randint(1, CLASSES, (), generator=draw))
        colours += inside * 60 * torch.randn(3, 1, 1, generator=draw)
    grain = 6 * torch.randn(3, height, width, generator=draw)
    return (colours + grain).clamp(0, 255).byte().permute(1, 2, 0).contiguous(), mask


def probabilities(mask: Tensor, seed: int) -> Tensor:
    """Make a network's probabilities (classes, h, w) from the truth: coarse, noisy logits, upsampled."""
    truth = one_hot(mask, CLASSES).permute(2, 0, 1).float()[None]
    cells = [-(-side // STRIDE) for side in mask.shape]
    coarse = interpolate(truth, cells, mode="area")
    noise = torch.randn(coarse.shape, generator=torch.Generator().manual_seed(seed))
    logits = _CONFIDENCE * coarse + _NOISE * noise
    return interpolate(logits, list(mask.shape), mode="bilinear", align_corners=False)[0].softmax(dim=0)


def public_crf(crf: DenseCrf, given: Tensor, picture: Tensor) -> Tensor:
    """Refine with pydensecrf, set to the same kernels."""
    from pydensecrf.densecrf import DenseCRF2D
    from pydensecrf.utils import unary_from_softmax

    classes, height, width = given.shape
    theirs = DenseCRF2D(width, height, classes)
    theirs.setUnaryEnergy(np.ascontiguousarray(unary_from_softmax(given.numpy(), clip=crf.floor)))
    for kernel in crf.kernels:
        if kernel.colour is None:
            theirs.addPairwiseGaussian(sxy=kernel.position, compat=kernel.weight)
        else:
            theirs.addPairwiseBilateral(
                sxy=kernel.position, srgb=kernel.colour, rgbim=picture.numpy(), compat=kernel.weight
            )
    return torch.from_numpy(np.array(theirs.inference(crf.iterations))).view(classes, height, width)
