"""From a trained network to class probabilities at an image's own size, one way a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from msgspec import Meta
from torch import Tensor

from scribblebench.core.registry import Part, Registry

Network = Callable[[Tensor], Tensor]
Scales = Annotated[tuple[Annotated[float, Meta(ge=0.01, le=100)], ...], Meta(min_length=1)]


class Inference(Part, frozen=True):
    """A way of looking at whole images; its fields are the options of a protocol's ``evaluation``."""

    @property
    def zoom(self) -> float:
        """Zoom of an image in a single pass, for figures and Table 3."""
        return 1.0

    @property
    def one_pass(self) -> bool:
        """Whether the network runs once, over the whole image at its own size."""
        return False

    def __call__(self, network: Network, images: Tensor, stride: int) -> Tensor:
        """Compute class probabilities.

        Args:
            network: normalised images (batch, 3, h, w) to logits (batch, classes, cells, cells).
            images: normalised images of one size, (batch, 3, h, w).
            stride: the network's output stride.

        Returns:
            float32 (batch, classes, h, w), summing to 1 over the classes.
        """
        raise TypeError(f"{type(self).__name__} does not say how it is computed")

    def scores(self, network: Network, images: Tensor, stride: int) -> Tensor:
        """Compute what is largest for the class that is most probable: probabilities, or what is cheaper.

        Args:
            network: as above.
            images: as above.
            stride: as above.

        Returns:
            float32 (batch, classes, h, w).
        """
        return self(network, images, stride)


INFERENCES: Registry[Inference] = Registry("inference", __name__, Inference)
