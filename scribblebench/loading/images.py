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
from PIL import Image
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.ops.colour import normalise as normalise

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
    """Read an image file as uint8: (h, w, 3) for mode ``RGB``, (h, w) of indices for ``P`` and ``L``.

    Raises:
        UserError: the file is missing or is not an image.
    """
    try:
        with Image.open(path) as image:
            # A palette image's bytes are its indices already; converting it would turn them into greys.
            return np.asarray(image if image.mode in ("P", "L") and mode != "RGB" else image.convert(mode))
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error}.") from error


def load_canvas(paths: Sequence[Path], mode: str, device: torch.device, fill: int = 0) -> Canvas:
    """Decode files in parallel into one canvas.

    Args:
        paths: the files.
        mode: ``RGB`` or ``P`` (indices).
        device: where the pixels stay.
        fill: value outside each image.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        # PIL reads the header only: sizes first, so that every image is decoded once, into its place.
        sizes = list(pool.map(_size, paths))
        height, width = np.max(sizes, axis=0)
        channels = 3 if mode == "RGB" else 1
        pixels = torch.full((len(paths), channels, height, width), fill, dtype=torch.uint8)
        place: Callable[[int], None] = lambda i: _place(pixels[i], decode(paths[i], mode))  # noqa: E731 - pool.map wants one argument
        list(pool.map(place, range(len(paths))))
    return Canvas(pixels.to(device), torch.tensor(sizes))


def _size(path: Path) -> tuple[int, int]:
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error}.") from error


def _place(target: Tensor, image: Bytes) -> None:
    planes = torch.from_numpy(np.array(image)).reshape(*image.shape[:2], -1).permute(2, 0, 1)
    target[:, : image.shape[0], : image.shape[1]] = planes
