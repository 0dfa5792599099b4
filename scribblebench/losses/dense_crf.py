"""The dense CRF loss: Potts energy between all pixels of like place and colour (Tang et al. 2018, ECCV)."""

from __future__ import annotations

from scribblebench.core.cards import Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.bilateral import Bilateral, Sigma
from scribblebench.ops.step import Loss, LossValue, Step


@LOSSES.register
class DenseCrf(Loss, frozen=True):
    """``sum_k S_k' A (1 - S_k) / 1' A 1`` over a batch: the share of the kernel between unlike predictions.

    The publication's ``-sum_k S_k' A S_k`` summed over pixels is this up to a constant and a factor: a weight
    w there is ``w 1'A1`` here, 1'A1 being an image's mean. So the loss lies in [0, 1] (the lattice is not
    quite symmetric: nearly so), and one weight fits every crop. The gradient is exact, that of the lattice
    itself. Defaults are the authors' 100 of 513 pixels, 15 levels and half the resolution.

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
        total = sums.total.sum()
        return LossValue((total - sums.agreement.sum()) / total.clamp(min=1), {"kernel_mass": total})
