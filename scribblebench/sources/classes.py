"""From a label map's values to the classes of a dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.cards import IGNORE, DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.pictures.labels import read_labels

Labels = NDArray[np.uint8]

MOST_LABELLED = 0.3
"""People label some 3 % of an image with strokes; a map with a larger share than this is something else."""

# A value that covers so much of a map is the ground on which strokes were drawn.
_MOSTLY = 0.85


def classes_of(label: Labels, values: dict[int, str], card: DatasetCard, path: Path) -> Labels:
    """Translate a label map's values as the dataset card says; without a word of it they are indices.

    Args:
        label: uint8 (height, width), as it is stored.
        values: value -> class name or ``ignore``, such as ``card.values.masks``; every value that occurs.
        card: the dataset.
        path: the file, for messages.

    Returns:
        uint8 (height, width): class indices, and the ignore index.

    Raises:
        UserError: a value that means no class.
    """
    present = np.flatnonzero(np.bincount(label.reshape(-1), minlength=256)).tolist()
    meant = {value: value for value in (*range(len(card.classes)), card.ignore_index)}
    if values:
        indices = {name: index for index, name in enumerate(card.classes)} | {IGNORE: card.ignore_index}
        meant = {value: indices[name] for value, name in values.items()}
    wrong = [value for value in present if value not in meant]
    if wrong and values:
        raise UserError(
            f"{path} holds the value {wrong[0]}, which {card.name}'s card does not name. Add it there."
        )
    if wrong:
        raise UserError(
            f"{path} holds the label {wrong[0]}, which {card.name} lacks. Choose the dataset's own card with "
            "--dataset, or say what its values mean under values: in the card."
        )
    if not values:
        return label
    table = np.zeros(256, dtype=np.uint8)
    table[list(meant)] = list(meant.values())
    return table[label]


def read_mask(path: Path, card: DatasetCard) -> Labels:
    """Read a dense mask: class indices, and the ignore index; uint8 (height, width).

    Raises:
        UserError: missing, malformed, or with values that mean no class.
    """
    return classes_of(read_labels(path), card.values.masks, card, path)


def check_unlabelled(label: Labels, values: dict[int, str], card: DatasetCard, path: Path) -> None:
    """Look whether most of a stroke map is without a label, as in every map that a person has drawn.

    Args:
        label: as it is stored.
        values: value -> class name or ``ignore``; where there are none, the ignore index is without a label.
        card: the dataset.
        path: the file, for messages.

    Raises:
        UserError: it is no map of strokes, and what it seems to be.
    """
    counts = np.bincount(label.reshape(-1), minlength=256)
    means_nothing = [value for value, name in values.items() if name == IGNORE]
    known = values or counts.argmax() < len(card.classes)  # else it is refused with the other labels
    labelled = 1 - counts[means_nothing if values else [card.ignore_index]].sum() / label.size
    if known and labelled > MOST_LABELLED:
        raise UserError(
            f"{path}: {labelled:.0%} of its pixels are labelled, so it is no map of strokes. "
            f"{_seems(counts, card)}"
        )


def _seems(counts: NDArray[np.intp], card: DatasetCard) -> str:
    """Say what a map without unlabelled pixels probably is, and what reads it."""
    common = int(counts.argmax())
    masks = "--from masks makes strokes from dense masks."
    if counts[common] < _MOSTLY * counts.sum():
        return f"It is probably a dense mask: {masks}"
    others = [value for value in np.flatnonzero(counts).tolist() if value != common]
    meant = {common: IGNORE} | dict(zip(others, _probable_classes(others, card), strict=True))
    words = ", ".join(f"{value}: {name}" for value, name in meant.items())
    return (
        f"Probably {common} means unlabelled here. Say so in the dataset card, with the class that each "
        f"other value stands for, such as values: {{strokes: {{{words}}}}}. Otherwise, {masks}"
    )


def _probable_classes(values: list[int], card: DatasetCard) -> list[str]:
    background, *objects = card.classes
    if values == [1, 2] and len(objects) == 1:
        return [objects[0], background]  # usual where one object is sought: 1 is it, 2 the background
    if values and max(values) <= len(card.classes):
        return [card.classes[value - 1] for value in values]  # indices shifted by one
    return ["..." for _ in values]
