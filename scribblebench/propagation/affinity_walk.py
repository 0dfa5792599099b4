"""Class activation maps that walk over affinities which the network has learned (AffinityNet)."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad

from scribblebench.core.cards import Positive
from scribblebench.ops.cells import at_cells
from scribblebench.ops.class_activations import with_background
from scribblebench.ops.neighbour_pairs import transition, walked
from scribblebench.propagation import PROPAGATIONS
from scribblebench.propagation._class_maps import ClassMaps

Above = Annotated[float, Meta(gt=0)]


@PROPAGATIONS.register
class AffinityWalk(ClassMaps, frozen=True):
    """The likeliest class after a random walk of the class maps and the background (Ahn and Kwak, CVPR 2018).

    On the network's grid, ``V T^steps`` with T the affinities to the power beta, normalised by column; the
    matrix is sparse and multiplied to the maps of the image's own classes step by step.

    Attributes:
        power: of the background ``(1 - max over classes) ** power`` before the walk.
        radius: cells less than so far apart are neighbours.
        beta: power of the affinities.
        steps: of the walk.
    """

    power: Above = 16.0
    radius: Positive = 5
    beta: Above = 8.0
    steps: Positive = 256

    def evidence(self, network: nn.Module, images: Tensor, present: Tensor, stride: int) -> Tensor | None:
        """Let the class maps walk, the background's too (see ``Propagation``)."""
        maps = with_background(self.class_maps(network, images, present, stride), self.power)
        height, width = images.shape[-2:]
        extra = (0, -(width - 1) % stride, 0, -(height - 1) % stride)
        padded = pad(images, extra)
        features = network(padded).features["affinity"][0].float()
        cells = at_cells(pad(maps[None], extra, mode="replicate")[0], *features.shape[-2:])
        there = present.clone()
        there[0] = True
        start = cells[there].flatten(1).double().cpu().numpy()
        found = torch.from_numpy(walked(start, transition(features, self.radius, self.beta), self.steps))
        arrived = torch.zeros_like(cells)
        arrived[there] = found.view(-1, *cells.shape[1:]).to(cells)
        full = interpolate(arrived[None], padded.shape[-2:], mode="bilinear", align_corners=True)[0]
        return full[:, :height, :width].clamp(min=0)

    def labelled(self, maps: Tensor, picture: NDArray[np.uint8], ignore_index: int) -> Tensor:
        """Take the likeliest (see ``ClassMaps``)."""
        del ignore_index
        return self.likeliest(maps, picture)
