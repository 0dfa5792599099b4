"""Predictions on the validation split, counted at each image's original size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scribblebench.inference import Inference, Network
from scribblebench.loading.images import Pictures, normalise
from scribblebench.refine import Refiner
from scribblebench.store.confusion import Counts, PerImageConfusion, confusion

# Raise it when an equal network would be given other confusion counts than before.
RULE = 1
# Images of one size that go through the network together.
TOGETHER = 8

Labels = NDArray[np.uint8]
Keep = Callable[[str, Labels, bool], None]
"""Takes an image's id, the labels (h, w) predicted for it, and whether a CRF refined them."""


def keep_nothing(image: str, labels: Labels, refined: bool) -> None:
    """Let predictions go: they have been counted."""


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
def evaluate(
    network: Network,
    inference: Inference,
    split: Validation,
    stride: int,
    advance: Callable[[int], None] = lambda images: None,
    crf: Refiner | None = None,
    keep: Keep = keep_nothing,
) -> PerImageConfusion:
    """Count, image by image, which class was predicted for which.

    Images of one size go through the network together, and through the CRF one by one.

    Args:
        network: normalised images to logits, in evaluation mode.
        inference: how whole images are looked at.
        split: the validation split.
        stride: the network's output stride.
        advance: told the number of images done, for a progress bar.
        crf: refines the probabilities; what comes of it is counted too, beside what came without.
        keep: is given every prediction.
    """

    def counted(index: int, score: Tensor, refined: bool = False) -> Counts:
        labels = labels_of(score)
        keep(split.ids[index], labels, refined)
        return count(split, index, labels)

    plain: list[Counts] = [np.empty(0, dtype=np.int64)] * len(split.ids)
    refined = plain.copy()
    look = inference.scores if crf is None else inference
    for chosen in groups(split.images.sizes):
        pixels = split.images.together(chosen).to(split.device)
        scores = look(network, normalise(pixels), stride)
        for index, score, picture in zip(chosen, scores, pixels, strict=True):
            plain[index] = counted(index, score)
            if crf is not None:
                refined[index] = counted(index, crf(score, picture.permute(1, 2, 0)), refined=True)
            advance(1)
    return PerImageConfusion(tuple(split.ids), np.stack(plain), None if crf is None else np.stack(refined))


def labels_of(scores: Tensor) -> Labels:
    """Return the most probable class of every pixel: (classes, h, w) to uint8 (h, w)."""
    labels: Labels = scores.argmax(dim=0).to(torch.uint8).cpu().numpy()
    return labels


def count(split: Validation, index: int, prediction: Labels) -> Counts:
    """Count the pixels of one image by their true and their predicted class.

    Args:
        split: where the image is.
        index: its place there.
        prediction: classes (h, w), at the image's own size.
    """
    truth = split.masks.image(index)[0].cpu().numpy()
    return confusion(prediction, truth, split.classes, split.ignore_index)
