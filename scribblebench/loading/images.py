"""Decoded photographs and label maps, kept as bytes on the device for the whole run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scribblebench.ops.colour import normalise as normalise
from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.photographs import read_photograph

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Images of their own sizes, one behind the other: memory is the sum of their sizes.

    Attributes:
        pixels: uint8 (bytes,), on the device; an image's planes, rows and columns in this order.
        sizes: int64 (images, 2), each image's own height and width, on the CPU.
        channels: planes of an image.
    """

    pixels: Tensor
    sizes: Tensor
    channels: int

    def __len__(self) -> int:
        return len(self.sizes)

    @classmethod
    def of(cls, stacked: Tensor) -> Pictures:
        """Take images of one size, uint8 (images, channels, height, width)."""
        images, channels, height, width = stacked.shape
        return cls(stacked.flatten(), torch.tensor([[height, width]]).repeat(images, 1), channels)

    @cached_property
    def _starts(self) -> list[int]:
        lengths = self.sizes.prod(dim=1) * self.channels
        return (lengths.cumsum(dim=0) - lengths).tolist()

    def to(self, device: torch.device) -> Pictures:
        """Move the pixels to a device."""
        return Pictures(self.pixels.to(device), self.sizes, self.channels)

    def image(self, index: int) -> Tensor:
        """Look at one image, (channels, height, width); nothing is copied."""
        height, width = self.sizes[index].tolist()
        start = self._starts[index]
        return self.pixels[start : start + self.channels * height * width].view(-1, height, width)

    def together(self, chosen: Sequence[int]) -> Tensor:
        """Stack images of one size, (len(chosen), channels, height, width)."""
        return torch.stack([self.image(index) for index in chosen])

    def cut(self, chosen: Sequence[int], windows: Tensor) -> list[Tensor]:
        """Look at a window of each image; nothing is copied.

        Args:
            chosen: indices of images.
            windows: first row and column and the ones behind the last, int (len(chosen), 4).

        Returns:
            (channels, height and width of the window) each.
        """
        return [
            self.image(index)[:, top:bottom, left:right]
            for index, (top, left, bottom, right) in zip(chosen, windows.tolist(), strict=True)
        ]


def stacked(windows: Sequence[Tensor], fill: int = 0) -> Tensor:
    """Copy windows into one array, (n, channels, height and width of the largest), in the upper left corner.

    Args:
        windows: (channels, height, width) each.
        fill: value beside a window that is smaller than the largest.
    """
    height, width = (max(window.shape[axis] for window in windows) for axis in (1, 2))
    array = windows[0].new_full((len(windows), len(windows[0]), height, width), fill)
    for place, window in zip(array, windows, strict=True):
        place[:, : window.shape[1], : window.shape[2]] = window
    return array


def decode(path: Path, mode: str) -> Bytes:
    """Read an image file as uint8: (h, w, 3) for mode ``RGB``, (h, w) of labels for ``P``.

    Raises:
        UserError: the file is missing, or is not certainly a photograph or a label map.
    """
    return read_photograph(path) if mode == "RGB" else read_labels(path)


def planes(image: Bytes) -> Tensor:
    """Turn (h, w) or (h, w, channels) into planes, (channels, h, w)."""
    pixels = torch.from_numpy(np.array(image))
    return pixels.reshape(*pixels.shape[:2], -1).permute(2, 0, 1).contiguous()


def load_pictures(read: Callable[[int], Bytes], sizes: Sequence[tuple[int, int]], channels: int) -> Pictures:
    """Decode images in parallel, each into its place.

    Args:
        read: index -> pixels, uint8 (h, w) or (h, w, channels).
        sizes: height and width of each image.
        channels: planes of an image.

    Raises:
        UserError: what ``read`` raises.
    """
    pixels = torch.empty(sum(height * width for height, width in sizes) * channels, dtype=torch.uint8)
    pictures = Pictures(pixels, torch.tensor(sizes).reshape(-1, 2), channels)

    def place(index: int) -> None:
        pictures.image(index).copy_(planes(read(index)))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(place, range(len(sizes))))
    return pictures
