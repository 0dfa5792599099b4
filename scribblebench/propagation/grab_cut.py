"""SDI's GrabCut labels: each box cut out by colour, several times from shaken boxes, and voted on."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from scribblebench.core.cards import Positive, Share
from scribblebench.core.errors import UserError
from scribblebench.core.seeds import integer_seed
from scribblebench.propagation import PROPAGATIONS, Labels, Propagation, Seen
from scribblebench.propagation._boxes import on_background
from scribblebench.scribbles.degradation import Scene
from scribblebench.scribbles.degradations.jitter import Jitter
from scribblebench.scribbles.mark import Mark, area, window

# OpenCV fits five colours to the inside and five to the outside: with fewer pixels there is nothing to fit.
_FEWEST = 9
_SEEDS = 2**31
Inside = NDArray[np.bool_]


@PROPAGATIONS.register
class GrabCut(Propagation, frozen=True):
    """GrabCut in each box (Khoreva et al., CVPR 2017, Section 3.2; Rother et al., SIGGRAPH 2004).

    The first run has the box as it is, each further one a box whose sides are moved. Inside of the box a
    pixel that enough runs cut out has the box's class, one that few do lies behind it, and the others are
    ignored. Needs the extra ``boxes``: OpenCV.

    Attributes:
        runs: the publication's is about 150; 1 ignores nothing.
        jitter: rate at which the sides of the box are moved, by up to half of it of the extent.
        sure: share of the runs that makes the class.
        unsure: below this share, the pixel is background.
        least: a cut-out of less than this share of its box is taken for a failure, and the box is filled.
        iterations: of GrabCut.
    """

    runs: Positive = 1
    jitter: Share = 0.2
    sure: Share = 0.7
    unsure: Share = 0.2
    least: Share = 0.15
    iterations: Annotated[int, Meta(ge=1, le=100)] = 5

    works_with: ClassVar[frozenset[str]] = frozenset({"boxes"})

    def check(self) -> None:
        """OpenCV must be there (see ``Propagation``)."""
        _opencv()

    def spread(self, seen: Seen) -> Labels:
        """Make the labels of one image (see ``Propagation``)."""

        def draw(number: int, mark: Mark, behind: Labels) -> Labels:
            share = self._share(seen, number, mark)[window(mark)]
            unclear = np.where(share < self.unsure, behind, np.uint8(seen.ignore_index))
            return np.where(share >= self.sure, np.uint8(mark.class_index), unclear)

        return on_background(seen, draw)

    def _share(self, seen: Seen, number: int, mark: Mark) -> NDArray[np.float64]:
        """Share of the runs that cut out a pixel, (h, w)."""
        height, width = seen.targets.labels.shape
        scene = Scene(seen.image, width, height, len(seen.targets.tags))
        total = np.zeros((height, width))
        for run in range(self.runs):
            shaken = Jitter().marks({number: mark}, self.jitter if run else 0.0, run, scene)[number]
            seed = integer_seed("grab_cut", seen.image, number, run) % _SEEDS
            found = cut_out(seen.picture, shaken, self.iterations, seed)
            total += found if found[window(mark)].mean() >= self.least else _filled(mark, total.shape)
        share: NDArray[np.float64] = total / self.runs
        return share


def cut_out(picture: NDArray[np.uint8], mark: Mark, iterations: int, seed: int) -> Inside:
    """Cut the object out of a box by colour.

    Args:
        picture: RGB, (h, w, 3).
        mark: the box. One that leaves (nearly) nothing outside is taken 3 pixels smaller on each side.
        iterations: of GrabCut.
        seed: of OpenCV's generator, which the first colours are drawn with.

    Returns:
        bool (h, w); the whole box where it, or what is outside of it, has too few pixels to tell colours.

    Raises:
        UserError: OpenCV is not installed.
    """
    cv2 = _opencv()
    height, width = picture.shape[:2]
    rows, columns = window(mark)
    if height * width - area(mark) < _FEWEST:
        rows, columns = slice(3, height - 3), slice(3, width - 3)
    extent = (max(0, columns.stop - columns.start), max(0, rows.stop - rows.start))
    if extent[0] * extent[1] < _FEWEST:
        return _filled(mark, (height, width))
    labels = np.zeros((height, width), dtype=np.uint8)
    colours = [np.zeros((1, 65)) for _ in range(2)]
    cv2.setRNGSeed(seed)
    rectangle = (columns.start, rows.start, *extent)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    cv2.grabCut(bgr, labels, rectangle, *colours, iterations, cv2.GC_INIT_WITH_RECT)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def _filled(mark: Mark, shape: tuple[int, ...]) -> Inside:
    inside = np.zeros(shape, dtype=bool)
    inside[window(mark)] = True
    return inside


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise UserError(
            "grab_cut needs OpenCV, which is not installed. Run: pip install 'scribblebench[boxes]'"
        ) from error
    cv2.setNumThreads(1)  # processes work side by side, an image each
    return cv2
