"""Cross-entropy on the labelled pixels: the first term of the paper's Eq. 11."""

from __future__ import annotations

from torch.nn import functional

from scribblebench.losses import LOSSES
from scribblebench.ops.step import Loss, LossValue, Step


@LOSSES.register
class PartialCrossEntropy(Loss, frozen=True):
    """Mean cross-entropy over the labelled pixels of the batch, at full resolution.

    A batch without a labelled pixel (drop and shrink make them) costs 0 and has gradient 0.
    """

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        labelled = step.labels != step.ignore_index
        logits = step.logits_at(labelled)
        total = functional.cross_entropy(logits, step.labels[labelled], reduction="sum")
        count = labelled.sum()
        return LossValue(total / count.clamp(min=1), {"labelled_pixels": count})
