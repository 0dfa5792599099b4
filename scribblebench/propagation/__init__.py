"""From strokes, the picture and what a network thinks of it to a label map, one way a file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.registry import Part, Registry

Labels = NDArray[np.uint8]


class Propagation(Part, frozen=True):
    """A way of spreading the strokes of one image; its fields are its options.

    Equal inputs give equal labels: nothing is drawn, nothing is remembered.
    """

    def __call__(
        self,
        picture: NDArray[np.uint8],
        strokes: Labels,
        ignore_index: int,
        probabilities: NDArray[np.float32] | None,
    ) -> Labels:
        """Spread the strokes.

        Args:
            picture: RGB, uint8 (h, w, 3).
            strokes: classes, and the ignore index where there is no stroke, uint8 (h, w).
            ignore_index: the label of pixels that carry no class.
            probabilities: a network's softmax of this image, float32 (classes, h, w), or None before there
                is a network.

        Returns:
            uint8 (h, w), the ignore index where it says nothing; pixels of strokes keep their class. Without
            any stroke it says nothing at all.

        Raises:
            UserError: the sizes differ, a stroke is of a class without probability, or a probability is not
                a finite number of at least 0.
        """
        raise TypeError(f"{type(self).__name__} does not say how it is computed")


PROPAGATIONS: Registry[Propagation] = Registry("propagation", __name__, Propagation)
"""The shipped propagations by name."""
