"""The labels of a method's stages: what it is told, propagated, with what its network predicts by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from scribblebench.core.cards import ProtocolCard
from scribblebench.inference import Inference
from scribblebench.loading.batches import Batches
from scribblebench.loading.images import decode, normalise
from scribblebench.nn.network import Network
from scribblebench.ops.resize import resized
from scribblebench.propagation import Propagation, Seen
from scribblebench.sources.folder import DatasetFolder
from scribblebench.supervision import Tell
from scribblebench.training.loop import autocast, logits_of

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


@dataclass(frozen=True)
class Asked:
    """Asks a network for what a propagation wants to know of a training image.

    What a propagation asks in its own way (see ``Propagation.evidence``), it asks of the image as large as
    the protocol lets the network see it; else it is given class probabilities.

    Attributes:
        network: in evaluation mode.
        propagation: asks in its own way, or leaves it.
        batches: the training split.
        inference: how whole images are looked at.
        protocol: output stride and precision.
    """

    network: Network
    propagation: Propagation
    batches: Batches
    inference: Inference
    protocol: ProtocolCard

    @torch.no_grad()
    def __call__(self, index: int) -> NDArray[np.float32]:
        """Ask of the image of an index: (classes, h, w)."""
        stride, device = self.protocol.output_stride, self.batches.device
        images = normalise(self.batches.images.image(index)[None].to(device))
        with autocast(device, self.protocol.precision):
            seen = resized(images, self.inference.zoom)
            found = self.propagation.evidence(self.network, seen, self.batches.tags[index].to(device), stride)
        if found is None:
            found = self.inference(logits_of(self.network, self.protocol.precision), images, stride)[0]
        elif seen is not images:
            # What is said of a pixel that was seen is said of all it stands for.
            found = interpolate(found[None].float(), images.shape[-2:], mode="nearest-exact")[0]
        return found.float().cpu().numpy()
