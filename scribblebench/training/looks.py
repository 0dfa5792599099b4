"""How trained networks are looked at: their final weights, and the part of each photograph they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.core.errors import UserError
from scribblebench.inference.whole_image import probabilities
from scribblebench.loading.images import decode, normalise
from scribblebench.nn.network import Network
from scribblebench.training import checkpoint
from scribblebench.training.build import make_network
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.evaluation_parts import make_inference
from scribblebench.training.train import Checkpoints

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Look:
    """The centre of a photograph, as one pass of evaluation sees it.

    Attributes:
        image: its id.
        window: rows and columns of the photograph that are looked at.
        photograph: that part of it, uint8 (h, w, 3).
        pixels: the same as the network sees it, of sides ``k * unit + 1``: float32 (1, 3, h', w'), 0 to 255.
        unit: pixels per cell of the walk.
    """

    image: str
    window: tuple[slice, slice]
    photograph: Pixels
    pixels: Tensor
    unit: int

    @property
    def normalised(self) -> Tensor:
        """What goes into the network."""
        return normalise(self.pixels)


def trained_network(cell: Cell, places: Places) -> Network:
    """Load the final weights of a cell, for evaluation.

    Raises:
        UserError: the cell was not trained here.
    """
    path = Checkpoints(places.runs / "checkpoints", cell).final
    if not path.exists():
        raise UserError(
            f"No weights of {cell.slug} in {path.parent}. Train it first: scribblebench run --grid shrink "
            f"--methods {cell.method.name} --rates 0, with the same dataset, protocol and --set. "
            "If it has a record already, remove that first."
        )
    network = make_network(cell, places)
    checkpoint.load(path, network, None)
    return network.eval()


def looks(cell: Cell, places: Places, ids: Sequence[str]) -> Iterator[Look]:
    """Look at the centre of each image, at the zoom of evaluation and at most as large as a crop."""
    unit = cell.protocol.output_stride * int(cell.method.network.get("walk_stride", 1))
    zoom = make_inference(cell.protocol).zoom
    for image in ids:
        pixels = decode(places.dataset.image_path(image), "RGB")
        (rows, height), (columns, width) = (
            centre(side, unit, cell.protocol.crop, zoom) for side in pixels.shape[:2]
        )
        photograph = pixels[rows, columns].copy()
        planes = torch.from_numpy(photograph).permute(2, 0, 1)[None].to(places.device).float()
        if planes.shape[-2:] != (height, width):
            planes = interpolate(planes, (height, width), mode="bilinear", align_corners=False)
        yield Look(image, (rows, columns), photograph, planes, unit)


def centre(side: int, unit: int, largest: int, zoom: float = 1.0) -> tuple[slice, int]:
    """Find the middle of one side of an image of which zooming makes ``k * unit + 1`` pixels.

    Only such sides are seen alike from left and right by strided convolutions, and nothing is padded.

    Args:
        side: pixels of the image.
        unit: pixels per cell of the walk.
        largest: pixels, after zooming.
        zoom: of the image.

    Returns:
        The pixels of the image, and how many they become.

    >>> centre(500, 16, 465)
    (slice(17, 482, None), 465)
    >>> centre(500, 16, 161, zoom=0.5)
    (slice(89, 411, None), 161)
    """
    kept = (min(round(side * zoom), largest) - 1) // unit * unit + 1
    window = min(side, round(kept / zoom))
    return slice((side - window) // 2, (side - window) // 2 + window), kept


def predicted(logits: Tensor, look: Look) -> Pixels:
    """Predict as evaluation does: probabilities of the pixels that were seen, then of the photograph's.

    Args:
        logits: of the look, at the network's own grid.
        look: what the network was shown.

    Returns:
        Classes at the size of the look's photograph, uint8 (h, w).
    """
    scores = probabilities(lambda images: logits, look.pixels, look.unit)
    shown = look.photograph.shape[:2]
    if scores.shape[-2:] != shown:
        scores = interpolate(scores, shown, mode="bilinear", align_corners=False)
    classes: Pixels = scores.argmax(dim=1)[0].to(torch.uint8).cpu().numpy()
    return classes


def picture(pixels: Tensor) -> Pixels:
    """Turn pixels (1, 3, h, w) from 0 to 255 into a picture (h, w, 3)."""
    shown: Pixels = pixels[0].permute(1, 2, 0).round().to(torch.uint8).cpu().numpy()
    return shown
