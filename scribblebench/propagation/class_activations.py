"""Class activation maps as labels: where a classifier of images looks, and where it does not look at all."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
import torch
from msgspec import Meta
from numpy.typing import NDArray
from torch import Tensor

from scribblebench.ops.border_distance import centre_prior, geodesic_saliency
from scribblebench.ops.class_activations import with_background
from scribblebench.propagation import PROPAGATIONS
from scribblebench.propagation._class_maps import ClassMaps

Above = Annotated[float, Meta(gt=0)]


@PROPAGATIONS.register
class ClassActivations(ClassMaps, frozen=True):
    """The class with the largest map, where it beats a background of ``(1 - max over classes) ** power``.

    With several powers, AffinityNet's confident areas: a class where it beats the background of the smallest
    power, the background where it beats all classes at the largest, and nothing in between.

    Attributes:
        powers: of the background; the public code's are 4 and 32.
        saliency: what the background is lessened by: ``centre``, the distance to the border alone, or
            ``geodesic``, over colours. Neither has learned anything; 1 leaves no background.
    """

    powers: Annotated[tuple[Above, ...], Meta(min_length=1)] = (4.0, 32.0)
    saliency: Literal["none", "centre", "geodesic"] = "none"

    def labelled(self, maps: Tensor, picture: NDArray[np.uint8], ignore_index: int) -> Tensor:
        """Compare the maps with the background (see ``ClassMaps``)."""
        kept = 1 - self._salient(picture)
        small, *_, large = (min(self.powers), max(self.powers))
        much = self._against(maps, kept, small, picture)
        little = much if small == large else self._against(maps, kept, large, picture)
        return torch.where(much != 0, much, torch.where(little == 0, 0, ignore_index))

    def _against(self, maps: Tensor, kept: Tensor, power: float, picture: NDArray[np.uint8]) -> Tensor:
        scores = with_background(maps[1:], power)
        scores[0] *= kept
        return self.likeliest(scores, picture)

    def _salient(self, picture: NDArray[np.uint8]) -> Tensor:
        height, width = picture.shape[:2]
        if self.saliency == "none":
            return torch.zeros(height, width)
        prior = centre_prior(height, width) if self.saliency == "centre" else geodesic_saliency(picture)
        return torch.from_numpy(prior).float()
