"""Batches warped on the device: each pixel of a crop is read once, where an affine map puts it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from scribblebench.loading.resample import footprint
from scribblebench.ops.colour import normalise

# OpenCV's choice for a 5 x 5 kernel when no sigma is given, as in the authors' code.
BLUR_SIGMA = 1.1
_REACH = 2
# Half a pixel, less what rounding may add: a place on the border of an image is outside for every window.
_HALF = 0.499


@dataclass(frozen=True)
class Map:
    """Affine maps from the pixels of crops to the places of their images' pixels.

    Attributes:
        rows: what a row of the crop adds to x and y, float32 (batch, 2, side), in pixels.
        columns: what a column adds, float32 (batch, 2, side).
        first: x and y of the first pixel of each image, float32 (batch, 2): 0 where it is not a window.
        last: and of the last.
    """

    rows: Tensor
    columns: Tensor
    first: Tensor
    last: Tensor

    def __getitem__(self, images: slice) -> Map:
        """Take some of the batch."""
        return Map(*(values[images] for values in vars(self).values()))

    def to(self, device: torch.device) -> Map:
        """Move it to a device without waiting."""
        return Map(*(values.to(device, non_blocking=True) for values in vars(self).values()))

    def inside(self) -> bool:
        """Say whether all places lie in their images; the corners go furthest."""
        ends = (values[..., [0, -1]] for values in (self.rows, self.columns))
        corners = (next(ends)[..., None] + next(ends)[:, :, None]).flatten(2)
        return bool(((corners >= self.first[..., None]) & (corners <= self.last[..., None])).all())

    def scaled(self, factor: Tensor, offset: Tensor) -> Map:
        """Multiply x and y of all places by a factor each, (2,), and add an offset."""
        rows, columns = (values * factor[:, None] for values in (self.rows, self.columns))
        return Map(
            rows + offset[:, None], columns, *(end * factor + offset for end in (self.first, self.last))
        )

    def places(self) -> Tensor:
        """Add up rows and columns: float32 (batch, 2, side, side)."""
        return self.rows[..., None] + self.columns[:, :, None]

    def within(self, at: Tensor, half: Tensor) -> Tensor:
        """Move places to the nearest ones in their images.

        Args:
            at: places, changed in place.
            half: half a pixel's width and height, (2,).

        Returns:
            whether they lay in a pixel of the image, bool (batch, side, side).
        """
        first, last, half = self.first[..., None, None], self.last[..., None, None], half[:, None, None]
        inside = (at > first - half).logical_and_(at < last + half)
        at.clamp_(first, last)
        return inside[:, 0] & inside[:, 1]


@dataclass(frozen=True)
class Crops:
    """What a batch of crops is written into.

    Attributes:
        images: normalised float32 (batch, 3, side, side); 0 on padding, save for a blurred rim of 2 pixels.
        labels: long (batch, side, side), the ignore index on padding.
        valid: bool (batch, side, side), False on padding.
    """

    images: Tensor
    labels: Tensor
    valid: Tensor

    @classmethod
    def of(cls, batch: int, side: int, device: torch.device) -> Crops:
        """Make room."""
        size = (batch, side, side)
        return cls(
            torch.empty(batch, 3, side, side, device=device),
            torch.empty(size, dtype=torch.long, device=device),
            torch.empty(size, dtype=torch.bool, device=device),
        )

    def __getitem__(self, images: slice) -> Crops:
        """Look at some of the batch."""
        return Crops(self.images[images], self.labels[images], self.valid[images])


def read(pixels: Tensor, labels: Tensor, there: Map, ignore: int, scale: Tensor | None, into: Crops) -> None:
    """Read crops of photographs and label maps.

    Args:
        pixels: uint8 (batch, 3, H, W), each image or window in the upper left corner.
        labels: uint8 (batch, 1, H, W).
        there: places in these arrays, on the CPU.
        ignore: label of padding.
        scale: zoom of each crop, (batch,): labels are read by ``footprint``; None: at the nearest pixel.
        into: what is written.
    """
    # grid_sample's frame: the array's borders are at -1 and 1.
    unit = 2 / torch.tensor(pixels.shape[:1:-1], dtype=torch.float32)
    whole, framed = there.inside(), there.scaled(unit, unit / 2 - 1).to(pixels.device)
    grid, unit = framed.places(), unit.to(pixels.device)
    # Interpolation keeps what is affine, and a window has fewer pixels than the crop made of it.
    normal = normalise(pixels)
    if whole:
        into.valid.fill_(True)
    else:
        into.valid.copy_(framed.within(grid, unit * _HALF))
    into.images.copy_(_sample(normal, grid, "bilinear"))
    if scale is None:
        into.labels.copy_(_sample(labels.float(), grid, "nearest")[:, 0])
    else:
        at = (grid + 1) / unit[:, None, None] - 0.5
        into.labels.copy_(footprint(labels, at.flip(1).movedim(1, -1), scale, ignore))
    if not whole:
        into.images.mul_(into.valid[:, None])
        into.labels.masked_fill_(~into.valid, ignore)


def _sample(planes: Tensor, grid: Tensor, mode: str) -> Tensor:
    # Planes of x and of y, as they are, are read faster than pairs.
    return grid_sample(planes, grid.movedim(1, -1), mode=mode, padding_mode="border", align_corners=False)


def blur(images: Tensor) -> Tensor:
    """Blur with a Gaussian of 5 x 5 pixels, borders mirrored: rows, then columns.

    Sums of moved copies: a depthwise convolution of two 1-d kernels takes 15 times as long on a CPU.

    Args:
        images: float32 (batch, channels, h, w), at least 3 pixels wide and high.
    """
    offsets = torch.arange(-_REACH, _REACH + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / BLUR_SIGMA) ** 2)
    weights: list[float] = (kernel / kernel.sum()).tolist()
    padded = pad(images, (_REACH,) * 4, mode="reflect")
    return _blurred(_blurred(padded, weights, dim=-1), weights, dim=-2)


def _blurred(images: Tensor, weights: list[float], dim: int) -> Tensor:
    length = images.shape[dim] - 2 * _REACH
    total = images.narrow(dim, _REACH, length) * weights[_REACH]
    for offset, weight in enumerate(weights):
        if offset != _REACH:
            total.add_(images.narrow(dim, offset, length), alpha=weight)
    return total
