"""Whether near cells are of one class: the loss of AffinityNet (Ahn and Kwak, CVPR 2018)."""

from __future__ import annotations

import torch
from torch import Tensor

from scribblebench.core.cards import Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import labels_of_cells
from scribblebench.ops.neighbour_pairs import affinities, pairs
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32

# What a logarithm is kept from 0 by, as in the public code.
_FLOOR = 1e-5


@LOSSES.register
class PairAffinity(Loss, frozen=True):
    """Cross-entropy of affinities: a quarter for background, a quarter for equal classes, half for unlike.

    The affinity of two cells is ``W = exp(-mean over channels of |f - f'|)``; each of the three is a mean of
    ``-log W`` or ``-log(1 - W)`` over its pairs in the batch. Pairs with an unlabelled cell count nowhere.

    Attributes:
        radius: cells of a pair are less than so many cells apart.
    """

    radius: Positive = 5

    def needs(self) -> frozenset[str]:
        """The embedding (see ``Loss``)."""
        return frozenset({"affinity"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        features = at_least_float32(step.output.features["affinity"])
        height, width = features.shape[-2:]
        labels = labels_of_cells(step.labels, height, width, step.ignore_index)
        affinity = affinities(features, self.radius)
        ends = [(one.flatten(1), other.flatten(1)) for one, other in pairs(labels, self.radius)]
        # A grid of one cell has no pairs.
        empty = labels.new_zeros(len(labels), 0)
        one, other = (torch.cat([empty, *(end[i] for end in ends)], dim=1) for i in (0, 1))
        labelled = (one != step.ignore_index) & (other != step.ignore_index)
        alike, background = labelled & (one == other), one == 0
        near, far = -(affinity + _FLOOR).log(), -(1 + _FLOOR - affinity).log()
        value = _mean(near, alike & background) / 4 + _mean(near, alike & ~background) / 4
        return LossValue(value + _mean(far, labelled & (one != other)) / 2)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    return (values * where).sum() / where.sum().clamp(min=1)
