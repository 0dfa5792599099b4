"""Which classes an image has: the multi-label soft-margin loss of class maps averaged over the image."""

from __future__ import annotations

from torch.nn.functional import multilabel_soft_margin_loss

from scribblebench.losses import LOSSES
from scribblebench.ops.class_activations import pooled
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class MultiLabel(Loss, frozen=True):
    """Mean over images and classes, without the background, of the logistic loss of each tag.

    Padding is left out of the average over the image. A crop has the tags of its image, what it shows or not.
    """

    def needs(self) -> frozenset[str]:
        """Class maps (see ``Loss``)."""
        return frozenset({"activations"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        scores = pooled(at_least_float32(step.output.features["activations"]), step.valid)
        tags = step.tags[:, 1:]
        right = ((scores > 0) == tags).double().mean()
        return LossValue(multilabel_soft_margin_loss(scores, tags.to(scores.dtype)), {"tags_right": right})
