"""The paper's augmentation as one batched warp on the device: scale, rotate, flip and crop at once.

Image and label map are read through the same inverse map, so an image is interpolated once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from scribblebench.core.cards import Augmentation
from scribblebench.core.seeds import rng
from scribblebench.loading.cores import each_on_a_core
from scribblebench.loading.warp import Crops, Map, Reading, read

# Raise it when equal draws or names would give other crops, if only by rounding: training makes that large.
RULE = 3


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


def _rows_and_columns(draws: Draws, sizes: Tensor, side: int, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Where rows and columns of a crop lie in its source image; a pixel's place is the sum of both.

    Args:
        draws: one draw per image.
        sizes: height and width of each source image, (batch, 2).
        side: side of the crop in pixels. A crop larger than the scaled image is centred on it.
        pixels: which rows and columns, (n,).

    Returns:
        of rows and of columns, float32 (batch, 2, n), as x, y in pixels; 0 is the centre of the first pixel.
    """
    scale = draws.scale[:, None]
    scaled = sizes * scale
    room = scaled - side
    # Random within the room there is; centred (symmetric padding) where there is none.
    offset = torch.where(room > 0, room * draws.place, room / 2)
    y, x = ((offset[:, i, None] + pixels + 0.5 - scaled[:, i, None] / 2) / scale for i in (0, 1))
    cosine, sine = (f(draws.angle)[:, None] for f in (torch.cos, torch.sin))
    mirror = torch.where(draws.flip, -1.0, 1.0)[:, None]
    rows = torch.stack([-mirror * sine * y, cosine * y], dim=1)
    columns = torch.stack([mirror * cosine * x, sine * x], dim=1)
    return rows + (sizes.flip(-1)[..., None] - 1) / 2, columns


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
    rows, columns = _rows_and_columns(draws, sizes, side, torch.tensor([0.0, side - 1.0]))
    corners = (rows[..., None] + columns[:, :, None]).flatten(2).movedim(1, -1).flip(-1)
    # A pixel more on each side: the corners are computed in other terms than the pixels between them.
    first = (corners.amin(dim=1).floor().long() - 1 - margin).clamp(min=0).minimum(sizes - 1)
    behind = (corners.amax(dim=1).floor().long() + 3 + margin).clamp(min=1).minimum(sizes)
    return torch.cat([first, torch.maximum(behind, first + 1)], dim=1)


def warp(
    pixels: Sequence[Tensor] | Tensor,
    labels: Sequence[Tensor] | Tensor,
    draws: Draws,
    sizes: Tensor,
    side: int,
    ignore: int,
    origins: Tensor | None = None,
    thin: bool = False,
) -> Batch:
    """Apply the draws to a batch.

    On the CPU the images are read one by one, on all cores, each in a core's cache. A card reads them at
    once, from one array.

    Args:
        pixels: each image or window, uint8 (3, h, w); in an array, (batch, 3, H, W), in the upper left
            corner.
        labels: the same of label maps, uint8 (1, h, w).
        draws: one draw per image.
        sizes: height and width of each whole image, (batch, 2).
        side: side of the crop in pixels.
        ignore: label of padding.
        origins: row and column of the image at which its window begins, (batch, 2); 0 where absent.
        thin: read labels by ``footprint``, so that thin strokes have no gaps.
    """
    rows, columns = _rows_and_columns(draws, sizes, side, torch.arange(side, dtype=torch.float32))
    last = (sizes.flip(-1) - 1).float()
    there = Map(rows, columns, torch.zeros_like(last), last)
    covered = there.covered()
    extents = torch.tensor([[image.shape[2], image.shape[1]] for image in pixels])
    how = Reading(
        there.framed(torch.zeros_like(sizes) if origins is None else origins.flip(-1), extents),
        extents,
        covered,
        ((covered[:, 0] == 0) & (covered[:, 1] == side)).all(dim=1).tolist(),
        draws.blur.tolist(),
        draws.scale if thin else None,
        ignore,
    )
    made = Crops.of(len(pixels), side, pixels[0].device)
    if isinstance(pixels, Tensor) and isinstance(labels, Tensor) and pixels.device.type != "cpu":
        read(pixels, labels, how, slice(None), made)
    else:
        each_on_a_core(
            lambda i: read(pixels[i][None], labels[i][None], how, slice(i, i + 1), made), range(len(pixels))
        )
    return Batch(made.images, made.labels, made.valid)


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
