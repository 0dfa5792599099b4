"""Cross-entropy on as much of each box as its class fills on average (Song et al., CVPR 2019: FR-loss)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scribblebench.losses import LOSSES
from scribblebench.ops.step import Loss, LossValue, Step


@LOSSES.register
class FillingRate(Loss, frozen=True):
    """Mean cross-entropy over the labelled pixels, after a class has won and lost pixels inside of its boxes.

    A class's filling rate is the mean, over the images so far, of the share of its boxes' labelled pixels
    that the stage's labels (the seeds) give to it. So many of the boxes' pixels, those where the class is
    likeliest, are its own: where they are ignored they have its label, and where others have its label they
    are ignored.

    Boxes are the label map that the method is told. In the released code this rule is without effect, which
    compares scores with a threshold of the wrong sign; here it is the publication's.
    """

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        logits = step.logits
        with torch.no_grad():
            chance = torch.softmax(logits, dim=1)
            rates = self._rates(step, logits.shape[1])
            labels = step.labels.clone()
            for image, told, of_classes in zip(labels, step.told, chance, strict=True):
                for index in told[(told != step.ignore_index) & (told > 0)].unique().tolist():
                    keep_share(
                        image, told == index, of_classes[index], index, rates[index], step.ignore_index
                    )
        count = (labels != step.ignore_index).sum().clamp(min=1)
        total = cross_entropy(logits, labels, ignore_index=step.ignore_index, reduction="sum")
        return LossValue(total / count, {"mean_filling_rate": rates[1:].mean()})

    def _rates(self, step: Step, classes: int) -> Tensor:
        """Count the batch in, and return each class's mean so far, (classes,); 1 where it never had a box."""
        zero = torch.zeros(classes, device=step.labels.device)
        total = step.memory.setdefault("filling_rate.total", zero.clone())
        count = step.memory.setdefault("filling_rate.count", zero.clone())
        for labels, told in zip(step.labels, step.told, strict=True):
            known = (labels != step.ignore_index) & (told != step.ignore_index)
            boxes = torch.bincount(told[known], minlength=classes)
            filled = torch.bincount(told[known & (labels == told)], minlength=classes)
            total += torch.where(boxes > 0, filled / boxes.clamp(min=1), 0.0)
            count += boxes > 0
        return torch.where(count > 0, total / count.clamp(min=1), 1.0)


def keep_share(
    labels: Tensor, inside: Tensor, chance: Tensor, index: int, rate: Tensor | float, ignore_index: int
) -> None:
    """Give a class its share of the pixels of its boxes, in place.

    Args:
        labels: of one image, long (h, w).
        inside: where the class has boxes, bool (h, w).
        chance: of the class, (h, w).
        index: the class.
        rate: its share of ``inside``; rounded to whole pixels.
        ignore_index: label of pixels that carry no class.
    """
    order = chance[inside].argsort(descending=True, stable=True)
    own = torch.zeros_like(order, dtype=torch.bool)
    own[order[: round(float(rate) * len(order))]] = True
    before = labels[inside]
    won = torch.where(own & (before == ignore_index), index, before)
    labels[inside] = torch.where(~own & (before == index), ignore_index, won)
