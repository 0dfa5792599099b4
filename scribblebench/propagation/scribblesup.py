"""ScribbleSup's propagation: a graph cut on superpixels (Lin et al., CVPR 2016, arXiv 1604.05144)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from skimage.segmentation import slic

from scribblebench.core.cards import Positive
from scribblebench.ops.graph_cut import Potts, alpha_expansion
from scribblebench.ops.superpixels import histograms, neighbours
from scribblebench.propagation import PROPAGATIONS, Labels, Propagation
from scribblebench.propagation._inputs import check_inputs

Above = Annotated[float, Meta(gt=0)]
# Rec. 709 luminance, as scikit-image's rgb2gray.
_LUMINANCE = (0.2125, 0.7154, 0.0721)


@PROPAGATIONS.register
class ScribbleSup(Propagation, frozen=True):
    """Labels of superpixels at low energy under the publication's unary and pairwise terms.

    A superpixel that strokes touch may only take one of their classes, at no cost; any other takes any class
    of the image's strokes, at equal cost. A network adds ``-log P`` summed over the superpixel's pixels.
    Neighbouring superpixels of different labels cost
    ``exp(-|c - c'|^2 / colour^2 - |g - g'|^2 / gradient^2)`` of their histograms c of R, G and B and g of the
    luminance's two gradients.

    The publication does not say what a histogram sums to, which decides whether colours matter: with
    frequencies (1) every pair costs between 0.76 and 1, with percent (100) hardly any costs anything.

    Attributes:
        segments: superpixels asked of SLIC.
        compactness: SLIC's weight of place against colour (CIELAB).
        iterations: of SLIC.
        colour_bins: of each channel, over 0 to 255.
        gradient_bins: of each direction, over the range of the image's own gradients.
        total: what the histogram of one channel or one direction sums to.
        colour: the publication's delta_c.
        gradient: its delta_t.
        floor: smallest probability that the network is taken to mean.
    """

    segments: Positive = 800
    compactness: Above = 10.0
    iterations: Positive = 10
    colour_bins: Positive = 25
    gradient_bins: Positive = 10
    total: Above = 10.0
    colour: Above = 5.0
    gradient: Above = 10.0
    floor: Annotated[float, Meta(gt=0, lt=1)] = 1e-5

    def __call__(
        self,
        picture: NDArray[np.uint8],
        strokes: Labels,
        ignore_index: int,
        probabilities: NDArray[np.float32] | None,
    ) -> Labels:
        """Spread the strokes (see ``Propagation``)."""
        check_inputs(picture, strokes, ignore_index, probabilities)
        drawn = strokes != ignore_index
        present = np.unique(strokes[drawn])
        if not len(present):
            return strokes.copy()
        superpixels = self._superpixels(picture)
        unary = _unary_of_strokes(superpixels, strokes, drawn, present)
        if probabilities is not None:
            unary += self._unary_of_network(superpixels, probabilities[present])
        edges = neighbours(superpixels)
        labels = alpha_expansion(Potts(unary, edges, self._alike(picture, superpixels, edges)))
        return np.where(drawn, strokes, present[labels[superpixels]])

    def _superpixels(self, picture: NDArray[np.uint8]) -> NDArray[np.int64]:
        """Number the superpixels from 0, int64 (h, w)."""
        segments = min(self.segments, picture.shape[0] * picture.shape[1])
        found = slic(
            picture, segments, self.compactness, self.iterations, start_label=0, enforce_connectivity=True
        )
        numbers = np.cumsum(np.bincount(found.ravel()) > 0) - 1
        superpixels: NDArray[np.int64] = numbers[found]
        return superpixels

    def _unary_of_network(
        self, superpixels: NDArray[np.int64], probabilities: NDArray[np.float32]
    ) -> NDArray[np.float64]:
        costs = -np.log(probabilities.astype(np.float64).clip(min=self.floor))
        flat = superpixels.ravel()
        return np.stack([np.bincount(flat, cost.ravel()) for cost in costs], axis=1)

    def _alike(
        self, picture: NDArray[np.uint8], superpixels: NDArray[np.int64], edges: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """How much neighbours should agree, between 0 and 1 (edges,)."""
        colours = histograms(superpixels, np.moveaxis(picture, 2, 0), self.colour_bins, (0, 256))
        grey = picture @ np.array(_LUMINANCE)
        slopes = np.stack([_slope(grey, axis) for axis in (0, 1)])
        gradients = histograms(superpixels, slopes, self.gradient_bins, None)
        one, other = edges.T
        distance = np.zeros(len(edges))
        for found, width in ((colours, self.colour), (gradients, self.gradient)):
            distance += np.square((found[one] - found[other]) * (self.total / width)).sum(axis=1)
        return np.exp(-distance)


def _unary_of_strokes(
    superpixels: NDArray[np.int64], strokes: Labels, drawn: NDArray[np.bool_], present: Labels
) -> NDArray[np.float64]:
    """0 for the classes that touch a superpixel and infinite for others; ``log n`` where none touches."""
    count, classes = int(superpixels.max()) + 1, len(present)
    touched = np.zeros((count, classes), dtype=bool)
    touched[superpixels[drawn], np.searchsorted(present, strokes[drawn])] = True
    free = ~touched.any(axis=1, keepdims=True)
    return np.where(free, np.log(classes), np.where(touched, 0.0, np.inf))


def _slope(grey: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Central differences, 0 along a side of one pixel."""
    return np.gradient(grey, axis=axis) if grey.shape[axis] > 1 else np.zeros_like(grey)
