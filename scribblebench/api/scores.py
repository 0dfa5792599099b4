"""Mean IoU as this benchmark counts it: one confusion matrix over all pixels of all images."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scribblebench.store import confusion as counts

IGNORE = 255


def confusion_matrix(
    predictions: Iterable[ArrayLike], truths: Iterable[ArrayLike], classes: int, ignore_index: int = IGNORE
) -> NDArray[np.int64]:
    """Count the pixels of each pair of true and predicted class, over all images.

    Args:
        predictions: class indices of each image, (height, width); images may differ in size. An array or a
            tensor on the CPU of shape (images, height, width) is the images one after another.
        truths: the true labels, as many and of the same sizes: class indices, and the ignore index.
        classes: number of classes C, background included, at most 254.
        ignore_index: the true label of pixels that are not scored, 0 to 255.

    Returns:
        int64 (C, C): rows are the truth, columns the prediction.

    Raises:
        ValueError: numbers of images or their shapes differ, or a value is no class.

    >>> confusion_matrix([[[0, 0, 1]]], [[[0, 1, 255]]], classes=2)
    array([[1, 0],
           [1, 0]])
    """
    total = np.zeros((classes, classes), dtype=np.int64)
    for prediction, truth in zip(predictions, truths, strict=True):
        total += counts.confusion(np.asarray(prediction), _as_bytes(truth), classes, ignore_index)
    return total


def class_iou(
    predictions: Iterable[ArrayLike], truths: Iterable[ArrayLike], classes: int, ignore_index: int = IGNORE
) -> NDArray[np.float64]:
    """Intersection over union of each class, over all images (arguments of ``confusion_matrix``).

    Returns:
        float64 (C,), each in [0, 1]; NaN where a class is in neither truth nor prediction.

    >>> class_iou([[[0, 0, 1, 1]]], [[[0, 1, 1, 255]]], classes=3)
    array([0.5, 0.5, nan])
    """
    return counts.iou(confusion_matrix(predictions, truths, classes, ignore_index))


def mean_iou(
    predictions: Iterable[ArrayLike], truths: Iterable[ArrayLike], classes: int, ignore_index: int = IGNORE
) -> float:
    """Mean of the IoU over the classes that occur (arguments of ``confusion_matrix``).

    It is the number of a record and of every table, in [0, 1], and torchmetrics' macro average: pixels of all
    images are counted together, a class in neither truth nor prediction is left out. NaN where no pixel
    was scored.

    >>> mean_iou([[[0, 0, 1, 1]]], [[[0, 1, 1, 255]]], classes=3)
    0.5
    """
    return counts.mean_iou(confusion_matrix(predictions, truths, classes, ignore_index))


def _as_bytes(labels: ArrayLike) -> NDArray[np.uint8]:
    """Narrow labels to the type of a label map, and refuse what does not fit into it."""
    found = np.asarray(labels)
    if found.dtype == np.uint8:
        return found
    if not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"truth has the type {found.dtype}; give class indices")
    if found.size and not 0 <= int(found.min()) <= int(found.max()) <= IGNORE:
        raise ValueError(f"truth holds {found.min()} to {found.max()}; labels are 0 to {IGNORE}")
    return found.astype(np.uint8)
