"""The paper's augmentation as one batched warp on the device: scale, rotate, flip and crop at once.

Image and label map are read through the same inverse map, so an image is interpolated once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from scribblebench.core.cards import Augmentation
from scribblebench.core.seeds import rng
from scribblebench.loading.images import normalise
from scribblebench.loading.resample import footprint, nearest
from scribblebench.ops.vision import torchvision

# Raise it when equal draws or names would give other crops than before.
RULE = 1
# OpenCV's choice for a 5 x 5 kernel when no sigma is given, as in the authors' code.
BLUR_SIGMA = 1.1


@dataclass(frozen=True)
class Draws:
    """What was drawn for each image of a batch.

    Attributes:
        scale: zoom, float32 (batch,).
        angle: rotation in radians, counter-clockwise as one sees it, float32 (batch,).
        flip: bool (batch,).
        blur: bool (batch,).
        place: where the crop lies in the room it has, in [0, 1), float32 (batch, 2) as y, x.
    """

    scale: Tensor
    angle: Tensor
    flip: Tensor
    blur: Tensor
    place: Tensor


def draw(ranges: Augmentation, seed: int, epoch: int, images: list[str]) -> Draws:
    """Draw the augmentation of each image by name: the batch it is in does not matter."""
    u = np.stack([rng("augmentation", seed, epoch, image).random(7) for image in images])
    low, high = ranges.scale
    angle = np.radians(ranges.rotation) * (2 * u[:, 1] - 1) * (u[:, 2] < ranges.rotation_odds)
    return Draws(
        scale=torch.from_numpy(low + (high - low) * u[:, 0]).float(),
        angle=torch.from_numpy(angle).float(),
        flip=torch.from_numpy(u[:, 3] < ranges.flip_odds),
        blur=torch.from_numpy(u[:, 4] < ranges.blur_odds),
        place=torch.from_numpy(u[:, 5:7]).float(),
    )


def source_coordinates(draws: Draws, sizes: Tensor, side: int) -> Tensor:
    """Where each pixel of a crop lies in its source image.

    Args:
        draws: one draw per image.
        sizes: height and width of each source image, (batch, 2).
        side: side of the crop in pixels.

    Returns:
        float32 (batch, side, side, 2), as y, x in pixels; 0 is the centre of the first pixel. A crop
        larger than the scaled image is centred on it.
    """
    return _coordinates(draws, sizes, side, torch.arange(side, dtype=torch.float32, device=sizes.device))


def _coordinates(draws: Draws, sizes: Tensor, side: int, pixels: Tensor) -> Tensor:
    """Do so for some rows and columns of the crop."""
    scale = draws.scale[:, None]
    scaled = sizes * scale
    room = scaled - side
    # Random within the room there is; centred (symmetric padding) where there is none.
    offset = torch.where(room > 0, room * draws.place, room / 2)
    steps = pixels + 0.5
    y = (offset[:, :1] + steps - scaled[:, :1] / 2)[:, :, None]
    x = (offset[:, 1:] + steps - scaled[:, 1:] / 2)[:, None, :]
    cosine, sine = (f(draws.angle)[:, None, None] for f in (torch.cos, torch.sin))
    rotated_y, rotated_x = cosine * y + sine * x, cosine * x - sine * y
    rotated_x = torch.where(draws.flip[:, None, None], -rotated_x, rotated_x)
    centred = torch.stack([rotated_y, rotated_x], dim=-1) / scale[..., None, None]
    return centred + (sizes[:, None, None] - 1) / 2


def source_windows(draws: Draws, sizes: Tensor, side: int, margin: Tensor | int = 0) -> Tensor:
    """Which part of each source image a crop is made from.

    Args:
        draws: one draw per image.
        sizes: height and width of each source image, (batch, 2).
        side: side of the crop in pixels.
        margin: further pixels on each side, of all images or of each, (batch, 1).

    Returns:
        int64 (batch, 4): first row and column and the ones behind the last, never empty.
    """
    # The map is affine, so the corners of the crop go furthest.
    corners = _coordinates(draws, sizes, side, torch.tensor([0.0, side - 1.0])).flatten(1, 2)
    # A pixel more on each side: the corners are computed in other terms than the pixels between them.
    first = (corners.amin(dim=1).floor().long() - 1 - margin).clamp(min=0).minimum(sizes - 1)
    behind = (corners.amax(dim=1).floor().long() + 3 + margin).clamp(min=1).minimum(sizes)
    return torch.cat([first, torch.maximum(behind, first + 1)], dim=1)


def warp(
    pixels: Tensor,
    labels: Tensor,
    draws: Draws,
    sizes: Tensor,
    side: int,
    ignore: int,
    origins: Tensor | None = None,
    thin: bool = False,
) -> Batch:
    """Apply the draws to a batch.

    Args:
        pixels: uint8 (batch, 3, H, W), each image or window in the upper left corner.
        labels: uint8 (batch, 1, H, W).
        draws: one draw per image.
        sizes: height and width of each whole image, (batch, 2).
        side: side of the crop in pixels.
        ignore: label of padding.
        origins: row and column of the image at which its window begins, (batch, 2); 0 where absent.
        thin: read labels by ``footprint``, so that thin strokes have no gaps.
    """
    device = pixels.device
    draws = Draws(**{name: value.to(device) for name, value in vars(draws).items()})
    sizes = sizes.to(device)
    at = source_coordinates(draws, sizes, side)
    last = (sizes - 1)[:, None, None]
    valid = ((at > -0.5) & (at < last + 0.5)).all(dim=-1)
    at = at.clamp(min=0).minimum(last)
    if origins is not None:
        at = at - origins.to(device)[:, None, None]
    images = torch.where(valid[:, None], normalise(_bilinear(pixels, at)), 0.0)
    if draws.blur.any():
        blur = torchvision("transforms.v2.functional").gaussian_blur
        images[draws.blur] = blur(images[draws.blur], [5, 5], [BLUR_SIGMA, BLUR_SIGMA])
    picked = footprint(labels, at, draws.scale, ignore) if thin else nearest(labels, at)
    return Batch(images, torch.where(valid, picked, ignore), valid)


def _bilinear(pixels: Tensor, at: Tensor) -> Tensor:
    size = torch.tensor(pixels.shape[-2:], device=pixels.device)
    grid = ((at + 0.5) / size * 2 - 1).flip(-1)  # grid_sample wants x, y in [-1, 1]
    return torch.nn.functional.grid_sample(
        pixels.float(), grid, mode="bilinear", padding_mode="border", align_corners=False
    )


@dataclass(frozen=True)
class Batch:
    """A training batch on the device.

    Attributes:
        images: normalised float32 (batch, 3, side, side); 0 on padding, save for a blurred rim of 2 pixels.
        labels: long (batch, side, side), the ignore index on padding.
        valid: bool (batch, side, side), False on padding.
        ids: of the images.
        tags: the classes that each whole image is said to hold, bool (batch, classes).
        read_told: makes the label maps that the method is told, where ``labels`` are others; or None.
    """

    images: Tensor
    labels: Tensor
    valid: Tensor
    ids: tuple[str, ...] = ()
    tags: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))
    read_told: Callable[[], Tensor] | None = None
