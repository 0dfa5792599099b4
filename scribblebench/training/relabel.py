"""The labels of a method's stages: what it is told, propagated, with what its network predicts by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from scribblebench.inference import Inference, Network
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import decode, normalise
from scribblebench.propagation import Propagation, Seen
from scribblebench.sources.folder import DatasetFolder
from scribblebench.supervision import Tell

# Raise it when equal networks, parts and images would give other labels than before.
RULE = 1

Predict = Callable[[int], NDArray[np.float32]]
"""Index of an image -> probabilities (classes, h, w)."""


class Propagated(NamedTuple):
    """Makes the label maps of a first stage, from the files alone: any process can.

    Attributes:
        dataset: holds the photographs.
        tell: what is told of each.
        propagation: how.
    """

    dataset: DatasetFolder
    tell: Tell
    propagation: Propagation

    def of(self, image: str) -> tuple[str, NDArray[np.uint8]]:
        """Return an image's id, and its label map, uint8 (h, w)."""
        picture = decode(self.dataset.image_path(image), "RGB")
        ignore_index = self.dataset.card.ignore_index
        return image, self.propagation.spread(Seen(image, picture, self.tell(image), ignore_index))


def relabelled(
    batches: Batches, chosen: Sequence[str], propagation: Propagation, predict: Predict, tell: Tell
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Make the label maps of a later stage.

    Args:
        batches: the training split.
        chosen: ids of the images.
        propagation: how.
        predict: what the network says of an image.
        tell: what is told of an image.

    Yields:
        An image's id, and its label map, uint8 (h, w).
    """
    index = {image: place for place, image in enumerate(batches.ids)}
    for image in chosen:
        at = index[image]
        picture = batches.images.image(at).permute(1, 2, 0).cpu().numpy()
        seen = Seen(image, np.ascontiguousarray(picture), tell(image), batches.ignore_index, predict(at))
        yield image, propagation.spread(seen)


def asked(
    network: nn.Module, propagation: Propagation, batches: Batches, stride: int, otherwise: Predict
) -> Predict:
    """Return what asks a network for what a propagation wants to know of an image.

    Args:
        network: in evaluation mode.
        propagation: asks in its own way, or leaves it.
        batches: the training split.
        stride: the network's output stride.
        otherwise: what is asked where it is left.
    """

    @torch.no_grad()
    def ask(index: int) -> NDArray[np.float32]:
        pixels = batches.images.image(index)[None].to(batches.device)
        tags = batches.tags[index].to(batches.device)
        found = propagation.evidence(network, normalise(pixels), tags, stride)
        return otherwise(index) if found is None else found.float().cpu().numpy()

    return ask


def predictor(network: Network, inference: Inference, batches: Batches, stride: int) -> Predict:
    """Return what asks a network for an image of the training split.

    Args:
        network: normalised images to logits, in evaluation mode.
        inference: how whole images are looked at.
        batches: the training split.
        stride: the network's output stride.
    """

    @torch.no_grad()
    def predict(index: int) -> NDArray[np.float32]:
        pixels = batches.images.image(index)[None].to(batches.device)
        scores = inference(network, normalise(pixels), stride)
        return scores[0].float().cpu().numpy()

    return predict
