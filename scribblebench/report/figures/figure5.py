"""Figure 5: where f^{L-1}, P and f^L vary when the image is flipped or translated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from scribblebench.report.figures.panels import Row, picture_rows

# In the paper's order.
_LOCATIONS = {"before": "$f^{\\,L-1}$", "eigenspace": "P", "after": "$f^{\\,L}$"}
_COLOURS = "magma"


@dataclass(frozen=True, eq=False)
class Varied:
    """One image under several transforms.

    Attributes:
        name: the image's id.
        photographs: transform -> the transformed image, uint8 (h, w, 3).
        variation: transform -> location -> how much each cell varies, in [0, 1].
    """

    name: str
    photographs: Mapping[str, NDArray[np.uint8]]
    variation: Mapping[str, Mapping[str, NDArray[np.float32]]]


def figure5(images: Sequence[Varied], caption: str) -> dict[str, bytes]:
    """Draw one image a row, its transforms side by side; all maps share one scale."""
    transforms = list(images[0].photographs)
    top = max(
        float(cells.max()) for i in images for found in i.variation.values() for cells in found.values()
    )
    scale = Normalize(0, top)
    groups = [(f"variation under {name}", ["transformed", *_LOCATIONS.values()]) for name in transforms]
    rows = [Row(image.name, _tallest(image), _drawing(image, transforms, scale)) for image in images]

    def bar(axes: Axes) -> None:
        axes.figure.colorbar(ScalarMappable(scale, colormaps[_COLOURS]), cax=axes)
        axes.tick_params(labelsize=7)

    return picture_rows(rows, groups, caption, scale=bar)


def _tallest(image: Varied) -> float:
    return float(max(picture.shape[0] / picture.shape[1] for picture in image.photographs.values()))


def _drawing(image: Varied, transforms: Sequence[str], scale: Normalize) -> Callable[[Sequence[Axes]], None]:
    def draw(panels: Sequence[Axes]) -> None:
        left = iter(panels)
        for name in transforms:
            next(left).imshow(image.photographs[name])
            for location in _LOCATIONS:
                next(left).imshow(image.variation[name][location], cmap=_COLOURS, norm=scale)

    return draw
