"""Decoded photographs and label maps, kept as bytes on the device for the whole run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scribblebench.pictures.labels import read_labels
from scribblebench.pictures.photographs import read_photograph
from scribblebench.pictures.size import picture_size

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Canvas:
    """Images of several sizes in one tensor, each in the upper left corner of its canvas.

    Attributes:
        pixels: uint8 (images, channels, height, width), on the device.
        sizes: int64 (images, 2), each image's own height and width, on the CPU.
    """

    pixels: Tensor
    sizes: Tensor

    def __len__(self) -> int:
        return len(self.sizes)


def decode(path: Path, mode: str) -> Bytes:
    """Read an image file as uint8: (h, w, 3) for mode ``RGB``, (h, w) of labels for ``P``.

    Raises:
        UserError: the file is missing, or is not certainly a photograph or a label map.
    """
    return read_photograph(path) if mode == "RGB" else read_labels(path)


def load_canvas(paths: Sequence[Path], mode: str, device: torch.device, fill: int = 0) -> Canvas:
    """Decode files in parallel into one canvas.

    Args:
        paths: the files.
        mode: ``RGB`` or ``P`` (indices).
        device: where the pixels stay.
        fill: value outside each image.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # From the headers only: sizes first, so that every image is decoded once, into its place.
        sizes = list(pool.map(_size, paths))
        height, width = np.max(sizes, axis=0)
        channels = 3 if mode == "RGB" else 1
        pixels = torch.full((len(paths), channels, height, width), fill, dtype=torch.uint8)
        place: Callable[[int], None] = lambda i: _place(pixels[i], decode(paths[i], mode))  # noqa: E731 - pool.map wants one argument
        list(pool.map(place, range(len(paths))))
    return Canvas(pixels.to(device), torch.tensor(sizes))


def _size(path: Path) -> tuple[int, int]:
    width, height = picture_size(path)
    return height, width


def _place(target: Tensor, image: Bytes) -> None:
    planes = torch.from_numpy(np.array(image)).reshape(*image.shape[:2], -1).permute(2, 0, 1)
    target[:, : image.shape[0], : image.shape[1]] = planes


def normalise(pixels: Tensor) -> Tensor:
    """Turn uint8 or 0-255 float images (batch, 3, h, w) into torchvision's normalised float32.

    >>> normalise(torch.full((1, 3, 1, 1), 255.0)).flatten()
    tensor([2.2489, 2.4286, 2.6400])
    """
    mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(STD, device=pixels.device).view(1, 3, 1, 1) * 255
    return (pixels.float() - mean) / std
