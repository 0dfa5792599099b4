"""What every propagation refuses to work with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.propagation import Labels


def check_inputs(
    picture: NDArray[np.uint8],
    strokes: Labels,
    ignore_index: int,
    probabilities: NDArray[np.float32] | None,
) -> None:
    """Look whether the inputs of ``Propagation`` belong together.

    Raises:
        UserError: the sizes differ, a stroke is of a class without probability, or a probability is not a
            finite number of at least 0.
    """
    present = np.unique(strokes[strokes != ignore_index])
    if picture.shape != (*strokes.shape, 3):
        raise UserError(
            f"Strokes of {strokes.shape} cannot be spread on a picture of {picture.shape}: "
            "give a label map (h, w) and RGB (h, w, 3)."
        )
    if probabilities is None:
        return
    if probabilities.shape[1:] != strokes.shape:
        raise UserError(
            f"Strokes of {strokes.shape} cannot be spread with probabilities of {probabilities.shape}: "
            "give (classes, h, w)."
        )
    if present.size and present[-1] >= len(probabilities):
        raise UserError(f"A stroke is of class {present[-1]}, probabilities are of {len(probabilities)}.")
    if not (np.isfinite(probabilities).all() and probabilities.min() >= 0):
        raise UserError("Probabilities must be finite numbers of at least 0, which these are not.")
