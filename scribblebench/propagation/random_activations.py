"""Many class activation maps of randomly chosen hidden units, put together (FickleNet, CVPR 2019)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor, nn

from scribblebench.core.cards import Positive, Share
from scribblebench.core.seeds import integer_seed
from scribblebench.nn.heads.hidden_units import selecting
from scribblebench.ops.class_activations import with_background
from scribblebench.propagation import PROPAGATIONS
from scribblebench.propagation._class_maps import ClassMaps

Above = Annotated[float, Meta(gt=0)]


@PROPAGATIONS.register
class RandomActivations(ClassMaps, frozen=True):
    """Seeds: a class where its map passes in any run, the background where it beats all classes.

    Where several classes pass, the one with the largest mean map is taken. The background is
    ``(1 - max over classes of the mean maps) ** power``; the publication has a saliency map in its place.

    Attributes:
        runs: draws of hidden units; 200 in the publication.
        threshold: that a normalised map passes.
        power: of the background.
    """

    runs: Positive = 20
    threshold: Share = 0.35
    power: Above = 32.0

    def evidence(self, network: nn.Module, images: Tensor, present: Tensor, stride: int) -> Tensor | None:
        """Run the network many times: mean maps where a run passes, 1 where the background wins."""
        total = largest = torch.zeros((), device=images.device)
        with torch.random.fork_rng(), selecting(network):
            for run in range(self.runs):
                torch.manual_seed(integer_seed("hidden units", run))
                maps = self.class_maps(network, images, present, stride)
                total, largest = total + maps, torch.maximum(largest, maps)
        return put_together(total / self.runs, largest, self.threshold, self.power)

    def labelled(self, maps: Tensor, picture: NDArray[np.uint8], ignore_index: int) -> Tensor:
        """Take the class with the largest mean map, else the background, else nothing (see ``ClassMaps``)."""
        best, index = maps[1:].max(dim=0)
        background = torch.where(maps[0] > 0, 0, ignore_index)
        return torch.where(best > 0, index + 1, background)


def put_together(mean: Tensor, largest: Tensor, threshold: float, power: float) -> Tensor:
    """Keep the mean maps where the largest passes, with the background before them.

    >>> one = torch.tensor([[[0.1, 0.3, 0.0]]])
    >>> put_together(one, 2 * one, 0.5, 1.0).tolist()
    [[[1.0, 0.0, 1.0]], [[0.0, 0.30000001192092896, 0.0]]]

    Args:
        mean: over the runs, (classes, h, w), without the background.
        largest: over the runs.
        threshold: what the largest must reach.
        power: of the background.

    Returns:
        (1 + classes, h, w), the background 1 where it beats all classes and none passes, else 0.
    """
    kept = torch.where(largest >= threshold, mean, torch.zeros_like(mean))
    wins = (with_background(mean, power).argmax(dim=0) == 0) & ~kept.any(dim=0)
    return torch.cat([wins[None].to(mean.dtype), kept])
