"""What an image learns of another that shares a class with it (CIAN, Fan et al., AAAI 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells, between_cells
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class CrossImage(Loss, frozen=True):
    """Cross-entropy of the labels and the logits that saw another image, and completion of both logits.

    Completion is the cross-entropy of both to the likeliest class of the logits with the other image
    (without gradient), mean over the cells where that is the background or a class that the image has. Each
    image looks at the first of its partners that shares a class; one that has none takes no part. All means
    are first over an image, then over images.
    """

    def needs(self) -> frozenset[str]:
        """Logits that saw other images (see ``Loss``)."""
        return frozenset({"cross"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        own = step.network_logits
        partners = at_least_float32(step.output.features["cross"])
        partners = partners.view(len(own), -1, *own.shape[1:])
        rows, shifts = sharing(step.tags, partners.shape[1])
        cross, own = partners[rows, shifts], own[rows]
        terms = [own.sum() * 0 + cross.sum() * 0]
        for image, row in enumerate(rows.tolist()):
            labelled = step.labels[row] != step.ignore_index
            valid = at_cells(step.valid[row], *own.shape[-2:])
            target = cross[image].detach().argmax(dim=0)
            present = step.tags[row].clone()
            present[0] = True
            counted = valid & present[target]
            seen = between_cells(cross[image : image + 1], labelled[None])
            terms += [
                _mean(seen, step.labels[row][labelled]),
                _mean(own[image][:, counted].T, target[counted]),
                _mean(cross[image][:, counted].T, target[counted]),
            ]
        share = torch.tensor(len(rows) / len(step.tags), device=own.device)
        return LossValue(torch.stack(terms).sum() / max(1, len(rows)), {"images_with_partner": share})


def sharing(tags: Tensor, partners: int) -> tuple[Tensor, Tensor]:
    """Find, for each image, the first partner behind it in the batch that has one of its classes.

    >>> tags = torch.tensor([[1, 1, 0], [1, 0, 1], [1, 1, 0]]).bool()
    >>> [found.tolist() for found in sharing(tags, 2)]
    [[0, 2], [1, 0]]

    Args:
        tags: bool (batch, classes), background first, which all have.
        partners: looked at; the last image's next is the first.

    Returns:
        Rows of the images that have one, and which of their partners, from 0.
    """
    alike = [
        (tags & tags.roll(-shift, 0))[:, 1:].any(dim=1) & (shift % len(tags) != 0)
        for shift in range(1, partners + 1)
    ]
    found = torch.stack(alike, dim=1)
    rows = found.any(dim=1).nonzero()[:, 0]
    return rows, found[rows].long().argmax(dim=1)


def _mean(logits: Tensor, classes: Tensor) -> Tensor:
    return cross_entropy(logits, classes, reduction="sum") / max(1, len(classes))
