"""Predictions on the validation split, counted at each image's original size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray

from scribblebench.inference import Inference, Network
from scribblebench.loading.images import Pictures, normalise
from scribblebench.store.confusion import PerImageConfusion, confusion

# Raise it when an equal network would be given other confusion counts than before.
RULE = 1
# Images of one size that go through the network together.
TOGETHER = 8


@dataclass(frozen=True)
class Validation:
    """The validation split.

    Attributes:
        ids: image ids, in the order of the pictures.
        images: the photographs.
        masks: dense masks of the same sizes.
        classes: number of classes.
        ignore_index: label of pixels that are not scored.
        device: where the network is; the pictures may lie elsewhere.
    """

    ids: Sequence[str]
    images: Pictures
    masks: Pictures
    classes: int
    ignore_index: int
    device: torch.device


def groups(sizes: torch.Tensor, together: int = TOGETHER) -> Iterator[list[int]]:
    """Yield indices of images of one size, at most ``together`` at a time."""
    pairs = [tuple(pair) for pair in sizes.tolist()]
    order = sorted(range(len(pairs)), key=lambda i: pairs[i])
    for _, same in groupby(order, key=lambda i: pairs[i]):
        members = list(same)
        yield from (members[i : i + together] for i in range(0, len(members), together))


@torch.inference_mode()
def predict(
    network: Network, inference: Inference, split: Validation, chosen: list[int], stride: int
) -> NDArray[np.uint8]:
    """Predict the classes of images of one size, uint8 (len(chosen), h, w)."""
    pixels = split.images.together(chosen).to(split.device)
    scores = inference(network, normalise(pixels), stride)
    return scores.argmax(dim=1).to(torch.uint8).cpu().numpy()


def evaluate(
    network: Network,
    inference: Inference,
    split: Validation,
    stride: int,
    advance: Callable[[int], None] = lambda images: None,
) -> PerImageConfusion:
    """Count, image by image, which class was predicted for which.

    Args:
        network: normalised images to logits, in evaluation mode.
        inference: how whole images are looked at.
        split: the validation split.
        stride: the network's output stride.
        advance: told the number of images done, for a progress bar.
    """
    matrices: list[NDArray[np.int64]] = [np.empty(0, dtype=np.int64)] * len(split.ids)
    for chosen in groups(split.images.sizes):
        predictions = predict(network, inference, split, chosen, stride)
        for index, prediction in zip(chosen, predictions, strict=True):
            truth = split.masks.image(index)[0].cpu().numpy()
            matrices[index] = confusion(prediction, truth, split.classes, split.ignore_index)
        advance(len(chosen))
    return PerImageConfusion(tuple(split.ids), np.stack(matrices))
