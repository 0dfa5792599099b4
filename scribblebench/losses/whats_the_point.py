"""What's the point: clicks, what the image shows, what it does not, and what looks like an object at all."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from scribblebench.losses import LOSSES
from scribblebench.ops.step import Loss, LossValue, Step

# Of the public layer: objectness o in 0 .. 255 becomes the background's probability 1 - (o + 1) / 257.
_LEVELS = 257.0


@LOSSES.register
class WhatsThePoint(Loss, frozen=True):
    """The four terms of the layer that the authors trained with (Bearman et al., ECCV 2016), summed.

    The value is the mean over the images.

    With S the softmax and t_c the pixel where S_c is largest, in one image:

    - presence: mean over the classes c that it holds, the background among them, of ``-ln S_c(t_c)``;
    - clicks: mean over the labelled pixels of ``-ln S_y``;
    - absence: mean over the other classes of ``-ln(1 - S_c(t_c))``;
    - objectness: mean over the pixels without a label of ``-P ln S_0 - (1 - P) ln(1 - S_0)``, P the
      background's probability there.

    A term that has nothing to be a mean of is 0. Padding takes no part.

    Attributes:
        objectness: where P is from. ``centre`` stands in for the publication's learned windows: it falls with
            the distance to the border of what the crop shows, up to a quarter of its shorter side. ``none``
            leaves the term out.
    """

    objectness: Literal["centre", "none"] = "centre"

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        logits = step.logits
        presence, absence = _at_peaks(logits, step.tags, step.valid)
        chance = torch.log_softmax(logits, dim=1)
        labelled = (step.labels != step.ignore_index) & step.valid
        truth = torch.where(labelled, step.labels, 0)[:, None]
        clicks = _mean(-chance.gather(1, truth)[:, 0], labelled)
        terms = {"presence": presence, "clicks": clicks, "absence": absence}
        if self.objectness == "centre":
            background = 1 - (255 * centre(step.valid) + 1) / _LEVELS
            foreground = torch.logsumexp(logits[:, 1:], dim=1) - torch.logsumexp(logits, dim=1)
            cost = -background * chance[:, 0] - (1 - background) * foreground
            terms["objectness"] = _mean(cost, step.valid & ~labelled)
        means = {name: term.mean() for name, term in terms.items()}
        value = torch.stack(list(means.values())).sum()
        return LossValue(value, {name: mean.detach() for name, mean in means.items()})


def _at_peaks(logits: Tensor, tags: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
    """Presence and absence, (batch,) each; one pixel of a class has the gradient, ties or not."""
    flat = logits.flatten(2)
    with torch.no_grad():
        chance = torch.softmax(flat, dim=1).masked_fill(~valid.flatten(1)[:, None], -1.0)
        peaks = chance.argmax(dim=2)
    # All classes' logits at the peak of each class, (batch, classes, peaks).
    there = flat.gather(2, peaks[:, None].expand(-1, flat.shape[1], -1))
    total = torch.logsumexp(there, dim=1)
    own = torch.eye(flat.shape[1], dtype=torch.bool, device=flat.device)
    presence = total - there.diagonal(dim1=1, dim2=2)
    absence = total - torch.logsumexp(there.masked_fill(own, -torch.inf), dim=1)
    return _mean(presence, tags), _mean(absence, ~tags)


def _mean(values: Tensor, chosen: Tensor) -> Tensor:
    """Mean of an image's chosen values, (batch,); 0 where none is."""
    chosen, values = chosen.flatten(1), values.flatten(1)
    return torch.where(chosen, values, 0.0).sum(dim=1) / chosen.sum(dim=1).clamp(min=1)


def centre(valid: Tensor) -> Tensor:
    """Distance to the nearest side of what is shown, 1 from a quarter of its shorter side on.

    Args:
        valid: False on padding, bool (batch, h, w).

    Returns:
        float32 (batch, h, w) in [0, 1]; 0 on padding.

    >>> centre(torch.ones(1, 5, 8, dtype=torch.bool))[0, 2]
    tensor([0.0000, 0.8000, 1.0000, 1.0000, 1.0000, 1.0000, 0.8000, 0.0000])
    """
    runs = [_run(valid, axis, back) for axis in (1, 2) for back in (False, True)]
    distance = torch.stack(runs).amin(dim=0) - 1
    shown = [valid.any(dim=axis).sum(dim=1) for axis in (1, 2)]
    shorter = torch.minimum(*shown)[:, None, None].clamp(min=1)
    return (distance.clamp(min=0) / (0.25 * shorter)).clamp(max=1.0)


def _run(valid: Tensor, axis: int, back: bool) -> Tensor:
    """Count the pixels from the last padding on, or from the crop's side, up to and with each pixel."""
    seen = valid.flip(axis) if back else valid
    place = torch.arange(1, seen.shape[axis] + 1, device=seen.device)
    place = place.view([-1 if a == axis else 1 for a in range(3)]).expand_as(seen)
    last = torch.where(seen, 0, place).cummax(dim=axis).values
    run = torch.where(seen, place - last, 0)
    return run.flip(axis) if back else run
