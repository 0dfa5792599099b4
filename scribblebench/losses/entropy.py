"""The paper's maximum-entropy loss (Eq. 10): predictions should be certain."""

from __future__ import annotations

import torch

from scribblebench.losses import LOSSES
from scribblebench.ops.step import Loss, LossValue, Step


@LOSSES.register
class Entropy(Loss, frozen=True):
    """Mean entropy of the class probabilities of a pixel, in nats, at full resolution.

    Attributes:
        include_padding: count padded pixels too, as Eq. 10 is written; the authors' scripts leave them out.
    """

    include_padding: bool = False

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        log_probabilities = torch.log_softmax(step.logits, dim=1)
        entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1)
        counted = torch.ones_like(step.valid) if self.include_padding else step.valid
        value = (entropy * counted).sum() / counted.sum().clamp(min=1)
        return LossValue(value)
