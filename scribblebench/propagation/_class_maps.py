"""What all propagations from class activation maps share: how the network is asked, and the CRF."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from scribblebench.core.errors import UserError
from scribblebench.core.registry import Registry
from scribblebench.inference import Scales
from scribblebench.ops.class_activations import activations, normalised
from scribblebench.propagation import Labels, Propagation
from scribblebench.propagation._inputs import check_inputs
from scribblebench.refine import REFINERS
from scribblebench.refine.dense_crf import PRESETS


class ClassMaps(Propagation, frozen=True):
    """Labels from class activation maps of the classes that an image's tags name.

    An image without any tag is ignored as a whole.

    Attributes:
        scales: zooms of the image as large as the protocol lets the network see it, whose maps are added.
        flip: add mirrored views.
        crf: refine by this preset of the dense CRF; ``none`` leaves the maps.
    """

    rule = 2
    scales: Scales = (0.5, 1.0, 1.5, 2.0)
    flip: bool = True
    crf: Literal["none", "deeplab", "urss"] = "none"

    works_with: ClassVar[frozenset[str]] = frozenset({"tags"})

    def needs_predictions(self) -> bool:
        """It has nothing else (see ``Propagation``)."""
        return True

    def uses(self) -> tuple[tuple[Registry[Any], str], ...]:
        """The CRF where there is one (see ``Propagation``)."""
        return () if self.crf == "none" else ((REFINERS, "dense_crf"),)

    def class_maps(self, network: nn.Module, images: Tensor, present: Tensor, stride: int) -> Tensor:
        """Return the normalised maps of an image, without the background, (classes - 1, h, w)."""

        def classify(view: Tensor) -> Tensor:
            maps: Tensor = network(view).features["activations"]
            return maps

        found = activations(classify, images, stride, self.scales, self.flip)
        return normalised(found[0], present[1:])

    def evidence(self, network: nn.Module, images: Tensor, present: Tensor, stride: int) -> Tensor | None:
        """Make class maps; the background has none (see ``Propagation``)."""
        maps = self.class_maps(network, images, present, stride)
        return torch.cat([torch.zeros_like(maps[:1]), maps])

    def __call__(
        self,
        picture: NDArray[np.uint8],
        strokes: Labels,
        ignore_index: int,
        probabilities: NDArray[np.float32] | None,
    ) -> Labels:
        """Make the labels of one image from its class maps (see ``Propagation``).

        Raises:
            UserError: there are no maps, or the inputs do not belong together.
        """
        check_inputs(picture, strokes, ignore_index, probabilities)
        if probabilities is None:
            raise UserError(
                f"{type(self).__module__.rsplit('.', 1)[-1]} needs class maps: it cannot make the labels "
                "of a first stage."
            )
        made = np.full(strokes.shape, ignore_index)
        maps = torch.from_numpy(probabilities)
        if maps[1:].any():
            made = self.labelled(maps, picture, ignore_index).numpy()
        return np.where(strokes != ignore_index, strokes, made).astype(np.uint8)

    def labelled(self, maps: Tensor, picture: NDArray[np.uint8], ignore_index: int) -> Tensor:
        """Make labels (h, w) of maps (classes, h, w), of which one at least is not 0."""
        raise TypeError(f"{type(self).__name__} does not say how it is computed")

    def likeliest(self, scores: Tensor, picture: NDArray[np.uint8]) -> Tensor:
        """Return the class of the largest score, after the CRF where there is one, (h, w).

        Classes without any score are left out of the CRF, which would take them for unlikely, not for absent.
        """
        if self.crf == "none":
            return scores.argmax(dim=0)
        there = scores.flatten(1).any(dim=1).nonzero()[:, 0]
        likely = scores[there] / scores[there].sum(dim=0).clamp(min=1e-5)
        return there[PRESETS[self.crf](likely, torch.from_numpy(picture)).argmax(dim=0)]
