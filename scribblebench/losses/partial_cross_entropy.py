"""Cross-entropy on the labelled pixels: the first term of the paper's Eq. 11."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from scribblebench.losses import LOSSES
from scribblebench.ops.cells import between_cells
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class PartialCrossEntropy(Loss, frozen=True):
    """Mean cross-entropy over the labelled pixels of the batch, at full resolution.

    A batch without a labelled pixel (drop and shrink make them) costs 0 and has gradient 0.

    Attributes:
        also: features of the network that are logits too; the cross-entropy of each is added.
    """

    also: tuple[str, ...] = ()

    def needs(self) -> frozenset[str]:
        """The other logits (see ``Loss``)."""
        return frozenset(self.also)

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        labelled = step.labels != step.ignore_index
        count, classes = labelled.sum(), step.labels[labelled]

        def mean(logits: Tensor) -> Tensor:
            return functional.cross_entropy(logits, classes, reduction="sum") / count.clamp(min=1)

        others = {
            name: mean(between_cells(at_least_float32(step.output.features[name]), labelled))
            for name in self.also
        }
        logs = {f"cross_entropy_{name}": value.detach() for name, value in others.items()}
        value = sum(others.values(), mean(step.logits_at(labelled)))
        return LossValue(value, {"labelled_pixels": count, **logs})
