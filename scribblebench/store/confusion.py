"""Confusion matrices, the IoU from them, and one matrix an image in a compact file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.errors import UserError
from scribblebench.core.files import file_sha256, write_atomic
from scribblebench.store.record import TOLERANCE, Record, confusion_path

Counts = NDArray[np.int64]
# Before the names of entries that were counted after a CRF.
_REFINED = "crf_"


def confusion(
    prediction: NDArray[np.integer], truth: NDArray[np.uint8], classes: int, ignore_index: int
) -> Counts:
    """Count the pixels of each pair of true and predicted class.

    Args:
        prediction: class indices, any shape and integer type.
        truth: labels of the same shape, uint8 as decoded from a mask.
        classes: number of classes C, at most 254.
        ignore_index: the label that is not scored.

    Returns:
        int64 (C, C): rows are the truth, columns the prediction.

    Raises:
        ValueError: shapes differ, or a value is no class.

    >>> truth = np.array([[0, 1, 255]], dtype=np.uint8)
    >>> confusion(np.array([[0, 0, 1]]), truth, classes=2, ignore_index=255)
    array([[1, 0],
           [1, 0]])
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"prediction has shape {prediction.shape}, truth {truth.shape}")
    if prediction.size and not 0 <= int(prediction.min()) <= int(prediction.max()) < classes:
        raise ValueError(f"prediction holds {prediction.min()} to {prediction.max()}, classes are {classes}")
    # A row of bins for every class, one for ignored pixels and one for labels that are no class: a table
    # look-up and one sum per pixel, without a mask. uint16 is a third faster than int64.
    row = np.full(256, classes + 1, dtype=np.uint16)
    row[:classes] = np.arange(classes)
    row[ignore_index] = classes
    bins = (row * classes)[truth] + prediction.astype(np.uint16)
    rows = np.bincount(bins.ravel(), minlength=(classes + 2) * classes).reshape(-1, classes)
    if rows[classes + 1].any():
        strange = sorted(set(np.unique(truth).tolist()) - {*range(classes), ignore_index})
        raise ValueError(f"truth holds the labels {strange}, which are neither classes nor {ignore_index}")
    return rows[:classes].astype(np.int64)


def iou(matrix: NDArray[np.integer]) -> NDArray[np.float64]:
    """Intersection over union of each class; NaN where a class is in neither truth nor prediction.

    >>> iou(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    array([0.75, 0.8 ,  nan])
    """
    intersection = np.diagonal(matrix).astype(np.float64)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - intersection
    scores = np.full(len(matrix), np.nan)
    np.divide(intersection, union, out=scores, where=union > 0)
    return scores


def mean_iou(matrix: NDArray[np.integer]) -> float:
    """Mean of the IoU over the classes that occur in truth or prediction.

    This is torchmetrics' macro average. The paper's authors count an absent class as 0; on the full VOC
    validation set, where no class is absent, both agree. NaN where no pixel was scored.

    >>> mean_iou(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    0.775
    """
    scores = iou(matrix)
    scores = scores[~np.isnan(scores)]
    return float(scores.mean()) if len(scores) else float("nan")


def class_scores(matrix: NDArray[np.integer]) -> tuple[float, list[float | None]]:
    """Mean IoU, and the IoU of each class as a record holds it: None where the class does not occur.

    >>> class_scores(np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
    (0.775, [0.75, 0.8, None])
    """
    return mean_iou(matrix), [None if np.isnan(value) else value for value in iou(matrix).tolist()]


@dataclass(frozen=True, eq=False)
class PerImageConfusion:
    """The confusion matrix of every image, so that intervals need no second evaluation.

    Attributes:
        ids: image ids, each once.
        matrices: int64 (images, C, C), in the order of ``ids``. The file keeps only the entries that are
            not 0, about 5 % of them.
        refined: the same of the predictions after a CRF, or None where there was none.
    """

    ids: tuple[str, ...]
    matrices: Counts
    refined: Counts | None = None

    def __post_init__(self) -> None:
        shape = self.matrices.shape
        if len(shape) != 3 or shape[0] != len(self.ids) or shape[1] != shape[2]:
            raise ValueError(f"{len(self.ids)} ids for matrices of shape {shape}")
        if self.refined is not None and self.refined.shape != shape:
            raise ValueError(f"matrices of shape {shape} without a CRF, {self.refined.shape} with it")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("an image id occurs twice")

    @property
    def crf(self) -> PerImageConfusion | None:
        """The matrices after the CRF, or None where there was none."""
        return None if self.refined is None else PerImageConfusion(self.ids, self.refined)

    def total(self) -> Counts:
        """Return the matrix over all images, int64 (C, C)."""
        total: Counts = self.matrices.sum(axis=0, dtype=np.int64)
        return total

    def intersections(self) -> Counts:
        """Return the pixels of each image that are truly and predicted of a class, int64 (images, C)."""
        return np.diagonal(self.matrices, axis1=1, axis2=2)

    def unions(self) -> Counts:
        """Return the pixels of each image that are truly or predicted of a class, int64 (images, C)."""
        unions: Counts = self.matrices.sum(axis=1) + self.matrices.sum(axis=2) - self.intersections()
        return unions

    def save(self, path: Path) -> str:
        """Write the matrices, whole or not at all; equal matrices give equal bytes.

        Returns:
            The file's SHA-256, for the record.

        Raises:
            UserError: the file cannot be written.
        """
        refined = {} if self.refined is None else _packed(self.refined, _REFINED)
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            ids=np.array(self.ids, dtype=np.str_),
            classes=np.int64(self.matrices.shape[1]),
            **_packed(self.matrices),
            **refined,
        )
        write_atomic(path, buffer.getvalue())
        return hashlib.sha256(buffer.getvalue()).hexdigest()

    @classmethod
    def load(cls, path: Path, sha256: str = "") -> PerImageConfusion:
        """Read what :meth:`save` wrote.

        Args:
            path: the file.
            sha256: what :meth:`save` returned, or empty where nobody knows.

        Raises:
            UserError: the file is missing, damaged or something else.
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise UserError(f"No confusion matrices at {path}. Run the cell again.") from error
        if sha256 and hashlib.sha256(raw).hexdigest() != sha256:
            raise UserError(f"{path} was changed after it was written. Run the cell again.")
        try:
            return cls(*_unpacked(raw))
        except Exception as error:  # numpy and zipfile raise a dozen types on bytes that are not theirs
            raise UserError(f"{path} holds no confusion matrices ({error}). Run the cell again.") from error


def read_confusion(folder: Path, record: Record) -> PerImageConfusion:
    """Read the matrices of a cell that is done and look whether they give the IoUs of its record.

    Raises:
        UserError: the file is missing or damaged, or is not the one the record speaks of.
    """
    path = confusion_path(folder, record.slug)
    matrices = PerImageConfusion.load(path, record.confusion_sha256)
    _compare(path, matrices.total(), record, record.miou, record.iou)
    if (matrices.crf is not None) != bool(record.crf):
        has, says = ("none" if empty else "some" for empty in (matrices.crf is None, not record.crf))
        raise UserError(f"{path} holds {has} of a CRF, its record says {says}. Run the cell again.")
    if matrices.crf is not None:
        _compare(path, matrices.crf.total(), record, record.miou_crf, record.iou_crf)
    return matrices


def matrices_are_whole(folder: Path, record: Record) -> bool:
    """Tell whether the matrices of a cell that is done are the file that its record speaks of."""
    try:
        return file_sha256(confusion_path(folder, record.slug)) == record.confusion_sha256
    except OSError:
        return False


def _compare(
    path: Path, total: Counts, record: Record, miou: float | None, ious: Sequence[float | None]
) -> None:
    """Refuse matrices that give other numbers than a record has."""
    said = [np.nan if score is None else score for score in ious] or iou(total)
    if len(total) != len(record.classes) or not np.allclose(iou(total), said, 0, TOLERANCE, equal_nan=True):
        raise UserError(f"{path} gives other IoUs than its record. Run the cell again.")
    found = mean_iou(total)
    if miou is None or not abs(found - miou) <= TOLERANCE:
        raise UserError(f"{path} gives an mIoU of {found:.6f}, its record says {miou}. Run the cell again.")


def _packed(matrices: Counts, prefix: str = "") -> dict[str, Any]:
    """Return the entries that are not 0, under the names they have in the file."""
    flat = matrices.reshape(len(matrices), -1)
    image, cell = np.nonzero(flat)
    return {
        f"{prefix}image": image.astype(np.int32),
        f"{prefix}cell": cell.astype(np.uint16),
        f"{prefix}count": flat[image, cell].astype(np.int64),
    }


def _unpacked(raw: bytes) -> tuple[tuple[str, ...], Counts, Counts | None]:
    with np.load(io.BytesIO(raw), allow_pickle=False) as file:
        ids = tuple(str(name) for name in file["ids"])
        classes = int(file["classes"])
        if not 0 < classes <= 254:
            raise ValueError(f"{classes} classes")

        def matrices(prefix: str = "") -> Counts:
            image, cell, count = (file[f"{prefix}{name}"] for name in ("image", "cell", "count"))
            if (count < 0).any():
                raise ValueError(f"counts from {count.min()}")
            flat = np.zeros((len(ids), classes * classes), dtype=np.int64)
            flat[image, cell] = count
            return flat.reshape(len(ids), classes, classes)

        return ids, matrices(), matrices(_REFINED) if f"{_REFINED}count" in file else None
