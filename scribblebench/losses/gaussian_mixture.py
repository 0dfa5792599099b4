"""AGMM's loss: each class of an image is a Gaussian around the features of its strokes (Wu et al. 2023)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.core.cards import Positive
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells, between_cells
from scribblebench.ops.mixture import Mixture, absence
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class GaussianMixture(Loss, frozen=True):
    """Fit, separation and absence, added up, as in the public code of AGMM (CVPR 2023).

    With f the network's embedding, mu_c its mean over the strokes of class c in an image, and
    ``r_c = exp(-d(f, mu_c)^2)``, d the mean absolute difference over the channels:

    - fit: half the cross-entropy of p_c to r_c, mean over nodes and the image's classes, plus half that of
      r_c to the labels, mean over labelled pixels and the image's classes. r is not detached: the first
      moves the embedding too.
    - separation: mean of ``exp(-d(m_i, m_j)^2)`` over pairs of classes in the batch, m the mean of mu over
      the images that have the class.
    - absence: mean over nodes of ``-sum ln(1 - p_c)``, c the classes without a stroke in the image. Where
      all strokes of a class were dropped, it is taken for absent.

    Unlike there, padding and images without a stroke count nowhere (there r = 1 on padding), m is not the sum
    over images, and strokes are read at each labelled pixel, not from labels shrunk to the nodes.

    Attributes:
        stride: pixels between nodes; logits and embedding are read there. 4 is the authors' output.
    """

    stride: Positive = 4

    def needs(self) -> frozenset[str]:
        """An embedding (see ``Loss``)."""
        return frozenset({"embedding"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        embedding = at_least_float32(step.output.features["embedding"])
        labelled = step.labels != step.ignore_index
        size = (len(labelled), step.network_logits.shape[1])
        places = (labelled.nonzero()[:, 0], step.labels[labelled])
        mixture = Mixture.of(between_cells(embedding, labelled), *places, size)
        height, width = ((side - 1) // self.stride + 1 for side in step.labels.shape[-2:])
        counted = at_cells(step.valid, height, width).flatten(1)
        likely = torch.log_softmax(_at_nodes(step.network_logits, height, width), dim=1)
        terms = {
            "fit": mixture.fit(_at_nodes(embedding, height, width), likely, counted),
            "separation": mixture.separation(),
            "absence": absence(likely, mixture.present, counted),
        }
        logs = {f"mixture_{name}": value.detach() for name, value in terms.items()}
        return LossValue(torch.stack([*terms.values()]).sum(), logs)


def _at_nodes(maps: Tensor, height: int, width: int) -> Tensor:
    return interpolate(maps, (height, width), mode="bilinear", align_corners=True).flatten(2)
