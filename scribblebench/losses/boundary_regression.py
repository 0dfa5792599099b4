"""Boundary regression: the network should see where the photograph has edges (after Wang et al. 2019)."""

from __future__ import annotations

from typing import Annotated

import torch
from msgspec import Meta
from torch.nn.functional import binary_cross_entropy_with_logits, interpolate

from scribblebench.losses import LOSSES
from scribblebench.ops.boundary import boundary_map
from scribblebench.ops.colour import rgb
from scribblebench.ops.step import Loss, LossValue, Step, at_least_float32


@LOSSES.register
class BoundaryRegression(Loss, frozen=True):
    """Mean cross-entropy of the network's boundary map to that of the image (``ops/boundary.py``).

    "Boundary Perception Guidance" (Wang et al. 2019) regresses class-agnostic edge maps of a trained
    detector. No such map is computed here: the image's own gradient stands in, which knows nothing of
    objects. Needs a network with a ``boundary`` feature, one channel of logits; padding and pixels whose
    gradient reaches into it do not count.

    Attributes:
        sigma: standard deviation of the smoothing, in pixels of the crop; at 2 the kernel is 17 wide.
    """

    sigma: Annotated[float, Meta(ge=0.25, le=2)] = 1.0

    def needs(self) -> frozenset[str]:
        """A boundary map (see ``Loss``)."""
        return frozenset({"boundary"})

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        with torch.no_grad():
            wanted, counted = boundary_map(rgb(step.images), step.valid, self.sigma)
        cells = at_least_float32(step.output.features["boundary"])
        logits = interpolate(cells, wanted.shape[-2:], mode="bilinear", align_corners=True)[:, 0]
        cost = binary_cross_entropy_with_logits(logits, wanted.to(logits.dtype), reduction="none")
        return LossValue((cost * counted).sum() / counted.sum().clamp(min=1))
