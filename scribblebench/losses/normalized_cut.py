"""The normalized cut loss: cut little of each class off from the rest (Tang et al. 2018, CVPR)."""

from __future__ import annotations

from scribblebench.core.cards import Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.bilateral import Bilateral, Sigma
from scribblebench.ops.step import Loss, LossValue, Step

# Keeps the ratio of a class of no probability at all; far below the degree of a single pixel.
EPSILON = 1e-6


@LOSSES.register
class NormalizedCut(Loss, frozen=True):
    """``sum_k S_k' A (1 - S_k) / 1' A S_k``, the mean of the images: between 0 and the number of classes.

    It is the publication's ``-sum_k S_k' A S_k / 1' A S_k`` up to a constant, and has no unit: its weight
    depends on no crop. The gradient is exact, that of the lattice itself. Kernel as in ``dense_crf``.

    Attributes:
        xy: standard deviation over place, as a share of the crop's side.
        rgb: standard deviation over colour, in levels of 0-255.
        block: side of the blocks of pixels that count as one.
    """

    xy: Sigma = 100 / 513
    rgb: Sigma = 15.0
    block: Positive = 2

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        sums = Bilateral(self.xy, self.rgb, self.block).sums(step)
        association = sums.agreement / (sums.degree + EPSILON)
        return LossValue((1 - association).sum(dim=1).mean())
