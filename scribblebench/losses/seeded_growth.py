"""Deep seeded region growing: seeds that grow in every step, and predictions that keep to boundaries."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch import Tensor

from scribblebench.core.cards import Positive, Share
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import around_cells, at_cells, labels_of_cells
from scribblebench.ops.colour import rgb
from scribblebench.ops.grid_crf import crf_kernel, mean_field
from scribblebench.ops.seeded_growth import grow
from scribblebench.ops.step import Loss, LossValue, Step

Above = Annotated[float, Meta(gt=0)]
_LEVELS = 255.0
# The softmax is kept from 0 by as much, and the ratio of constrain-to-boundary within these bounds.
_FLOOR, _RATIO = 1e-4, (0.05, 20.0)


@LOSSES.register
class SeededGrowth(Loss, frozen=True):
    """Balanced seed loss plus constrain-to-boundary loss, as in the public code of DSRG (CVPR 2018).

    On the network's cells, with p its softmax and q what a dense CRF makes of p. Labels are seeds and grow
    by q (see ``grow``). The seed loss is ``-ln p`` of the seeds, mean over those of the background plus mean
    over those of other classes, mean over images; the other is ``sum q ln(q / p)``, mean over cells (SEC,
    Kolesnikov and Lampert, ECCV 2016), with gradient through both. The CRF's scores are p itself, not its
    logarithm, as there; its kernel is exact instead of a lattice, and padding is left out.

    Attributes:
        foreground: probability from which a class takes a cell in.
        background: the same of the background.
        near: the CRF's bandwidth of place alone, in cells; weight 3.
        far: its bandwidth of place beside colour, in cells; weight 10.
        colour: its bandwidth of colour, in levels of 0 to 255.
        iterations: of its mean field.
    """

    foreground: Share = 0.85
    background: Share = 0.99
    near: Above = 0.25
    far: Above = 80 / 12
    colour: Above = 13.0
    iterations: Positive = 10

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        likely = step.network_logits.softmax(dim=1) + _FLOOR
        likely = likely / likely.sum(dim=1, keepdim=True)
        height, width = likely.shape[-2:]
        size = (height, width)
        seeds = labels_of_cells(step.labels, *size, step.ignore_index)
        valid, colours = at_cells(step.valid, *size), around_cells(_LEVELS * rgb(step.images), *size)
        present = step.tags.clone()
        present[:, 0] = True
        terms, count = [], likely.new_zeros(())
        for image in range(len(likely)):
            smooth = self._smooth(likely[image], colours[image], valid[image])
            grown = self._grown(seeds[image], smooth, present[image], step.ignore_index)
            seed = _seed(likely[image], grown, step.ignore_index)
            terms.append(torch.stack([seed, _boundary(smooth, likely[image], valid[image])]))
            count = count + (grown != step.ignore_index).sum()
        seed, boundary = torch.stack(terms).mean(dim=0)
        logs = {"seed": seed.detach(), "boundary": boundary.detach(), "seeds": count / len(likely)}
        return LossValue(seed + boundary, logs)

    def _smooth(self, likely: Tensor, colours: Tensor, valid: Tensor) -> Tensor:
        """What the CRF makes of the cells on the image, 0 elsewhere, (classes, h, w)."""
        place = valid.nonzero().to(likely.dtype)
        kernel = crf_kernel(place, colours[:, valid].T, self.near, self.far, self.colour, (3.0, 10.0))
        found = mean_field(likely[:, valid].T, kernel, self.iterations)
        everywhere = likely.new_zeros(*valid.shape, len(likely))
        return everywhere.masked_scatter(valid[..., None], found).permute(2, 0, 1)

    def _grown(self, seeds: Tensor, smooth: Tensor, present: Tensor, ignore_index: int) -> Tensor:
        maps, there = smooth.detach().cpu().numpy(), present.cpu().numpy()
        grown = grow(seeds.cpu().numpy(), maps, there, ignore_index, self.foreground, self.background)
        return torch.from_numpy(grown).to(seeds.device)


def _seed(likely: Tensor, seeds: Tensor, ignore_index: int) -> Tensor:
    labelled = seeds != ignore_index
    cost = -likely.log().gather(0, torch.where(labelled, seeds, 0)[None])[0]
    background, foreground = labelled & (seeds == 0), labelled & (seeds != 0)
    means = [(cost * part).sum() / part.sum().clamp(min=1) for part in (background, foreground)]
    return torch.stack(means).sum()


def _boundary(smooth: Tensor, likely: Tensor, valid: Tensor) -> Tensor:
    ratio = (smooth / likely).clamp(*_RATIO)
    return ((smooth * ratio.log()).sum(dim=0) * valid).sum() / valid.sum().clamp(min=1)
