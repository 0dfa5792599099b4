"""From an image's strokes to labels of more of its pixels, one way a file; a method's stage names it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from scribblebench.core.registry import Part, Registry
from scribblebench.supervision import Labels as Labels
from scribblebench.supervision import Targets


@dataclass(frozen=True, eq=False)
class Seen:
    """What a propagation may look at of one image.

    Attributes:
        image: its id, which names what is drawn at random.
        picture: RGB, uint8 (h, w, 3).
        targets: what the method is told of it.
        ignore_index: label of pixels that carry no class.
        probabilities: what the network predicts (see ``Propagation``), or None.
    """

    image: str
    picture: NDArray[np.uint8]
    targets: Targets
    ignore_index: int
    probabilities: NDArray[np.float32] | None = None


class Propagation(Part, frozen=True):
    """A way of propagating labels; its fields are its options.

    A pure function of one image: no state, and nothing that is drawn without a name.

    Attributes:
        works_with: the kinds of supervision that it can make labels of.
    """

    works_with: ClassVar[frozenset[str]] = frozenset({"strokes"})

    def needs_predictions(self) -> bool:
        """Whether the strokes alone are not enough, so that it cannot make the labels of a first stage."""
        return False

    def check(self) -> None:
        """Look whether it can work on this machine, before anything is trained.

        Raises:
            UserError: it lacks an optional package.
        """

    def uses(self) -> tuple[tuple[Registry[Any], str], ...]:
        """List the other parts whose arithmetic decides the labels: registries, and names in them."""
        return ()

    def evidence(self, network: nn.Module, images: Tensor, present: Tensor, stride: int) -> Tensor | None:
        """Ask the network in a way of its own for what ``__call__`` is given in place of probabilities.

        Args:
            network: in evaluation mode, without gradient.
            images: one normalised image, (1, 3, h, w).
            present: its tags, bool (classes,), background first.
            stride: pixels per cell of the network's grid.

        Returns:
            (classes, h, w), at least 0; None where it takes class probabilities, as the protocol's
            ``relabelling`` makes them.
        """
        del network, images, present, stride
        return None

    def spread(self, seen: Seen) -> Labels:
        """Make the labels of one image, of all that may be looked at; of its label map, unless overridden."""
        return self(seen.picture, seen.targets.labels, seen.ignore_index, seen.probabilities)

    def __call__(
        self,
        picture: NDArray[np.uint8],
        strokes: Labels,
        ignore_index: int,
        probabilities: NDArray[np.float32] | None,
    ) -> Labels:
        """Make the labels of one image.

        Args:
            picture: RGB, (h, w, 3).
            strokes: their label map, (h, w).
            ignore_index: label of pixels that carry no class.
            probabilities: what the network predicts, (classes, h, w), summing to 1 over the classes; None
                where it has not been trained yet.

        Returns:
            A label map, (h, w), the ignore index where nothing is said. Pixels of strokes keep their class.

        Raises:
            UserError: the sizes differ, a stroke is of a class without probability, or a probability is not
                a finite number of at least 0.
        """
        raise TypeError(f"{type(self).__name__} does not say how it is computed")


PROPAGATIONS: Registry[Propagation] = Registry("propagation", __name__, Propagation)
"""The shipped propagations by name."""
