"""Batches warped on the device: each pixel of a crop is read once, where an affine map puts it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad

from scribblebench.loading.resample import footprint
from scribblebench.loading.transfer import send
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
        return Map(*(send(values, device) for values in vars(self).values()))

    def covered(self) -> Tensor:
        """Between which columns each row of a crop lies in pixels of its image.

        Places go evenly along a row, so two numbers say it for all of them.

        Returns:
            the first column and the one behind the last, int16 (batch, 2, side).
        """
        side = self.rows.shape[-1]
        start = self.columns[..., :1]
        step = (self.columns[..., -1:] - start) / max(side - 1, 1)
        step = torch.where(step == 0, torch.finfo(step.dtype).tiny ** 0.5, step)
        one = (self.first[..., None] - _HALF - self.rows - start) / step
        other = (self.last[..., None] + _HALF - self.rows - start) / step
        first = torch.minimum(one, other).amax(dim=1).floor() + 1
        behind = torch.maximum(one, other).amin(dim=1).ceil()
        return torch.stack([first, behind], dim=1).clamp(0, side).to(torch.int16)

    def framed(self, origins: Tensor, extents: Tensor) -> Map:
        """Put places into ``grid_sample``'s frame, in which the borders of an array are at -1 and 1.

        Args:
            origins: x and y of the array's first pixel in each image, (batch, 2).
            extents: width and height of the array, (batch, 2).
        """
        unit = 2 / extents.float()
        shift = unit / 2 - 1 - origins * unit
        return Map(
            self.rows * unit[..., None] + shift[..., None],
            self.columns * unit[..., None],
            self.first * unit + shift,
            self.last * unit + shift,
        )

    def places(self) -> Tensor:
        """Add up rows and columns: float32 (batch, 2, side, side)."""
        return self.rows[..., None] + self.columns[:, :, None]


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


@dataclass(frozen=True)
class Reading:
    """How the crops of a batch are read. All of it is on the CPU.

    Attributes:
        there: where, in ``grid_sample``'s frame.
        extents: width and height of the array that each is read from, (batch, 2).
        covered: see ``Map.covered``.
        whole: whether all of a crop lies in its image.
        blurred: whether it is blurred.
        scale: zoom of each crop, (batch,): labels are read by ``footprint``; None: at the nearest pixel.
        ignore: label of padding.
    """

    there: Map
    extents: Tensor
    covered: Tensor
    whole: Sequence[bool]
    blurred: Sequence[bool]
    scale: Tensor | None
    ignore: int


def read(pixels: Tensor, labels: Tensor, how: Reading, some: slice, into: Crops) -> None:
    """Read some crops of a batch from photographs and label maps.

    Args:
        pixels: uint8 (some, 3, H, W), each image or window in the upper left corner.
        labels: uint8 (some, 1, H, W).
        how: how all crops of the batch are read.
        some: which are.
        into: what is written, crops of the whole batch.
    """
    there, crops, device = how.there[some].to(pixels.device), into[some], pixels.device
    grid = there.places()
    if len(pixels) > 1 or how.scale is not None:  # an image may end before the array does
        grid.clamp_(there.first[..., None, None], there.last[..., None, None])
    # Interpolation keeps what is affine, and a window has fewer pixels than the crop made of it.
    images = _sample(normalise(pixels), grid, "bilinear")
    if how.scale is None:
        crops.labels.copy_(_sample(labels.float(), grid, "nearest")[:, 0])
    else:
        at = (grid + 1) * send(how.extents[some, :, None, None] / 2, device) - 0.5
        crops.labels.copy_(footprint(labels, at.flip(1).movedim(1, -1), how.scale[some], how.ignore))
    if all(how.whole[some]):
        crops.valid.fill_(True)
    else:
        _leave_out(how.covered[some], how.ignore, images, crops)
    for image, crop, blurred in zip(images, crops.images, how.blurred[some], strict=True):
        blur(image, crop) if blurred else crop.copy_(image)


def _leave_out(covered: Tensor, ignore: int, images: Tensor, crops: Crops) -> None:
    """Fill what lies beside the images: 0 in images, the ignore index in labels."""
    columns = torch.arange(images.shape[-1], dtype=torch.int16, device=images.device)
    first, behind = send(covered, images.device)[..., None].unbind(dim=1)
    torch.ge(columns, first, out=crops.valid)
    crops.valid.logical_and_(columns < behind)
    images.mul_(crops.valid[:, None])
    crops.labels.masked_fill_(~crops.valid, ignore)


def _sample(planes: Tensor, grid: Tensor, mode: str) -> Tensor:
    # Planes of x and of y, as they are, are read faster than pairs.
    return grid_sample(planes, grid.movedim(1, -1), mode=mode, padding_mode="border", align_corners=False)


def blur(image: Tensor, into: Tensor) -> None:
    """Blur with a Gaussian of 5 x 5 pixels, borders mirrored: rows, then columns.

    Sums of moved copies: a depthwise convolution of two 1-d kernels takes 15 times as long on a CPU.

    Args:
        image: float32 (channels, h, w), at least 3 pixels wide and high.
        into: what is written, of the same shape.
    """
    offsets = torch.arange(-_REACH, _REACH + 1, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (offsets / BLUR_SIGMA) ** 2)
    weights: list[float] = (kernel / kernel.sum()).tolist()
    padded = pad(image[None], (_REACH,) * 4, mode="reflect")[0]
    along_rows = _blurred(padded, weights, -1, padded.new_empty(*padded.shape[:2], image.shape[-1]))
    _blurred(along_rows, weights, -2, into)


def _blurred(image: Tensor, weights: list[float], dim: int, into: Tensor) -> Tensor:
    length = into.shape[dim]
    torch.mul(image.narrow(dim, _REACH, length), weights[_REACH], out=into)
    for offset, weight in enumerate(weights):
        if offset != _REACH:
            into.add_(image.narrow(dim, offset, length), alpha=weight)
    return into
