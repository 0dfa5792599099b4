"""DeepLabV2's loss: cross-entropy of every scale's logits, and of their maximum (Chen et al. 2017)."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class MultiScaleCrossEntropy(Loss, frozen=True):
    """Sum over the scales and the maximum of the mean cross-entropy over labelled cells.

    As published, logits stay at their grids and labels are shrunk to them, each cell taking the label under
    its centre. It is meant for dense masks: of thin strokes few would be left. Needs a network with
    ``scales``. A batch whose cells have no label costs 0 and has gradient 0.
    """

    def needs(self) -> frozenset[str]:
        """Several scales (see ``Loss``)."""
        return frozenset({"scales"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        of_scales = [_at_grid(at_least_float32(logits), step) for logits in step.output.scales]
        of_maximum = _at_grid(step.network_logits, step)
        return LossValue(sum(of_scales, of_maximum), {"cross_entropy_of_maximum": of_maximum.detach()})


def _at_grid(logits: Tensor, step: Step) -> Tensor:
    labels = at_cells(step.labels, *logits.shape[-2:])
    total = cross_entropy(logits, labels, ignore_index=step.ignore_index, reduction="sum")
    return total / (labels != step.ignore_index).sum().clamp(min=1)
