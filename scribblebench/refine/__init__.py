"""From class probabilities and the photograph to better probabilities, one way a file."""

from __future__ import annotations

from torch import Tensor

from scribblebench.core.registry import Part, Registry


class Refiner(Part, frozen=True):
    """A way of refining the probabilities of one image; its fields are its options."""

    def __call__(self, probabilities: Tensor, picture: Tensor) -> Tensor:
        """Refine.

        Args:
            probabilities: (classes, h, w), summing to 1 over the classes.
            picture: RGB of 0 to 255, (h, w, 3), of any type, at the same size.

        Returns:
            float32 (classes, h, w), summing to 1 over the classes.
        """
        raise TypeError(f"{type(self).__name__} does not say how it is computed")


REFINERS: Registry[Refiner] = Registry("refiner", __name__, Refiner)
"""The shipped refiners by name."""
