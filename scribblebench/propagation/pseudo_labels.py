"""Pseudo-labels: what the network itself predicts, refined and thresholded."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from scribblebench.core.cards import Share
from scribblebench.core.errors import UserError
from scribblebench.core.registry import Registry
from scribblebench.propagation import PROPAGATIONS, Labels, Propagation, Seen
from scribblebench.propagation._inputs import check_inputs
from scribblebench.refine import REFINERS
from scribblebench.refine.dense_crf import PRESETS
from scribblebench.supervision import Targets


@PROPAGATIONS.register
class PseudoLabels(Propagation, frozen=True):
    """The likeliest class of each pixel, where the network is sure enough.

    Attributes:
        crf: refine the probabilities first, by this preset of the dense CRF; ``none`` leaves them.
        threshold: pixels whose likeliest class is less probable are ignored.
        present: only classes that the image is said to hold. One that is said to hold none is ignored.
    """

    crf: Literal["none", "deeplab", "urss"] = "none"
    threshold: Share = 0.0
    present: bool = True

    works_with: ClassVar[frozenset[str]] = frozenset({"strokes", "points", "boxes", "tags"})

    def needs_predictions(self) -> bool:
        """It has nothing else (see ``Propagation``)."""
        return True

    def uses(self) -> tuple[tuple[Registry[Any], str], ...]:
        """The CRF where there is one (see ``Propagation``)."""
        return () if self.crf == "none" else ((REFINERS, "dense_crf"),)

    def spread(self, seen: Seen) -> Labels:
        """Make the labels of one image; its tags say which classes it may have (see ``Propagation``)."""
        strokes, ignore_index, probabilities = seen.targets.labels, seen.ignore_index, seen.probabilities
        check_inputs(seen.picture, strokes, ignore_index, probabilities)
        if probabilities is None:
            raise UserError("pseudo_labels needs predictions: it cannot make the labels of a first stage.")
        sure = torch.from_numpy(probabilities)
        if self.present:
            sure = _only(sure, np.flatnonzero(seen.targets.tags))
        if self.crf != "none" and sure.any():
            sure = PRESETS[self.crf](sure, torch.from_numpy(seen.picture))
        best, labels = sure.max(dim=0)
        made = torch.where((best > 0) & (best >= self.threshold), labels, ignore_index).numpy()
        return np.where(strokes != ignore_index, strokes, made).astype(np.uint8)

    def __call__(
        self,
        picture: NDArray[np.uint8],
        strokes: Labels,
        ignore_index: int,
        probabilities: NDArray[np.float32] | None,
    ) -> Labels:
        """Make the labels of one image (see ``Propagation``).

        Raises:
            UserError: there are no predictions, or the inputs do not belong together.
        """
        tags = np.bincount(strokes[strokes != ignore_index]) > 0
        return self.spread(Seen("", picture, Targets(strokes, tags), ignore_index, probabilities))


def _only(probabilities: torch.Tensor, classes: NDArray[np.integer]) -> torch.Tensor:
    """Set other classes to 0 and let the rest sum to 1 again; where nothing is left, all stay 0."""
    kept = torch.zeros_like(probabilities)
    index = torch.from_numpy(classes.astype(np.int64))
    kept[index] = probabilities[index]
    return kept / kept.sum(dim=0, keepdim=True).clamp(min=torch.finfo(kept.dtype).tiny)
