"""What zooming leaves of strokes: pieces that one falls into, and the share of its labelled pixels.

    python benchmarks/zoomed_strokes.py --data-dir VOC --images 100

Every stroke of some training images is drawn alone with the usual pen, read at a zoom as training reads label
maps, and its 8-connected pieces are counted. Pixels are those expected at the zoom, area times zoom squared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import scipy.ndimage
import torch
from torch import Tensor

from scribblebench.core.library import Library
from scribblebench.loading.resample import footprint, nearest
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.folder import open_dataset

IGNORE = 255
READERS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "nearest": lambda labels, at, zoom: nearest(labels, at),
    "footprint": lambda labels, at, zoom: footprint(labels, at, zoom, IGNORE),
}


def grid(height: int, width: int, zoom: float) -> Tensor:
    """Where the pixels of a zoomed image lie in it, (1, height * zoom, width * zoom, 2)."""
    sides = [(torch.arange(round(side * zoom)) + 0.5) / zoom - 0.5 for side in (height, width)]
    at = torch.stack(torch.meshgrid(*sides, indexing="ij"), dim=-1)
    return at.clamp(min=0).minimum(torch.tensor([height - 1.0, width - 1.0]))[None]


def alone(annotation: Annotation) -> list[Tensor]:
    """Draw each stroke as if it were the only one, uint8 (1, 1, h, w)."""
    maps = []
    for stroke in annotation.strokes:
        one = Annotation(annotation.image, annotation.width, annotation.height, (stroke,))
        maps.append(torch.from_numpy(draw(one, Pen(), IGNORE))[None, None])
    return [drawn for drawn in maps if (drawn != IGNORE).any()]


def main() -> None:
    """Print a row for each zoom and way of reading."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--dataset", default="voc2012")
    parser.add_argument("--data-dir", type=Path, default=None)
    parser.add_argument("--images", type=int, default=100)
    args = parser.parse_args()
    folder = open_dataset(Library().dataset(args.dataset), args.data_dir)
    ids = sorted(folder.ids("train"))
    ids = ids[:: max(1, len(ids) // args.images)][: args.images]
    strokes = [drawn for image in ids for drawn in alone(folder.annotation(image))]
    print(f"{len(strokes)} strokes of {len(ids)} images")
    for zoom in (1.0, 0.75, 0.5, 0.35, 0.25):
        for name, read in READERS.items():
            pieces, share = [], []
            for drawn in strokes:
                height, width = drawn.shape[2:]
                kept = (read(drawn, grid(height, width, zoom), torch.tensor([zoom])) != IGNORE)[0].numpy()
                pieces.append(scipy.ndimage.label(kept, np.ones((3, 3)))[1])
                share.append(kept.sum() / ((drawn != IGNORE).sum().item() * zoom**2))
            whole = 100 * np.mean(np.array(pieces) == 1)
            print(
                f"zoom {zoom:g} {name}: {np.mean(pieces):.2f} pieces in the mean, {max(pieces)} at most, "
                f"{whole:.0f} % in one, {100 * np.mean(np.array(pieces) == 0):.1f} % gone; "
                f"pixels / expected {np.mean(share):.2f}"
            )


if __name__ == "__main__":
    main()
