"""SDI's recursion: what the network predicts, set back wherever it contradicts the boxes."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch

from scribblebench.core.cards import Share
from scribblebench.core.errors import UserError
from scribblebench.core.registry import Registry
from scribblebench.propagation import PROPAGATIONS, Labels, Propagation, Seen
from scribblebench.propagation._boxes import first_labels, on_background
from scribblebench.propagation._inputs import check_inputs
from scribblebench.refine import REFINERS
from scribblebench.refine.dense_crf import PRESETS
from scribblebench.scribbles.mark import Mark, window


@PROPAGATIONS.register
class BoxRecursion(Propagation, frozen=True):
    """The three steps between two rounds (Khoreva et al., CVPR 2017, Section 3.1).

    Predictions are filtered by the dense CRF; a pixel may have a class only inside of a box of it and is
    background otherwise; a box whose class fills less than half of it has its first labels again. The CRF
    comes first, so that what is set back stays so.

    Attributes:
        crf: preset of the dense CRF; ``none`` leaves the predictions as they are.
        least: share of a box that its class must fill.
        whole: first labels are whole boxes; else their middles (see ``box_labels``).
    """

    crf: Literal["none", "deeplab", "urss"] = "deeplab"
    least: Share = 0.5
    whole: bool = True

    works_with: ClassVar[frozenset[str]] = frozenset({"boxes"})

    def needs_predictions(self) -> bool:
        """It has nothing else (see ``Propagation``)."""
        return True

    def uses(self) -> tuple[tuple[Registry[Any], str], ...]:
        """The CRF where there is one (see ``Propagation``)."""
        return () if self.crf == "none" else ((REFINERS, "dense_crf"),)

    def spread(self, seen: Seen) -> Labels:
        """Make the labels of one image (see ``Propagation``).

        Raises:
            UserError: there are no predictions, or the inputs do not belong together.
        """
        check_inputs(seen.picture, seen.targets.labels, seen.ignore_index, seen.probabilities)
        if seen.probabilities is None:
            raise UserError("box_recursion needs predictions: it cannot make the labels of a first stage.")
        likely = self._allowed(seen, seen.probabilities).argmax(axis=0)

        def draw(number: int, mark: Mark, behind: Labels) -> Labels:
            own = likely[window(mark)] == mark.class_index
            if own.mean() < self.least:
                return first_labels(mark, self.whole, seen.ignore_index)
            return np.where(own, np.uint8(mark.class_index), behind)

        return on_background(seen, draw)

    def _allowed(self, seen: Seen, probabilities: np.ndarray) -> np.ndarray:
        """Refine the probabilities, and leave each class those inside of its boxes."""
        if self.crf != "none":
            refined = PRESETS[self.crf](torch.from_numpy(probabilities), torch.from_numpy(seen.picture))
            probabilities = refined.numpy()
        allowed = np.zeros(probabilities.shape, dtype=bool)
        allowed[0] = True
        for mark in seen.targets.marks:
            allowed[(mark.class_index, *window(mark))] = True
        return np.where(allowed, probabilities, -1.0)
