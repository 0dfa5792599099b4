"""What is looked at before anything is trained: what would waste a night, and what a reader must know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.misfits import misfits
from scribblebench.sources.survey import Found, Survey

# Scribbles label about 3 % of the pixels; a map beyond this is of another kind, or dense.
MOST_LABELLED = 0.3
_WHITE = 255


def check(dataset: DatasetFolder, train: Survey, val: Survey) -> tuple[str, ...]:
    """Look at the splits of a training.

    Args:
        dataset: the folder.
        train: what will be trained on.
        val: what will be scored.

    Returns:
        Warnings, a line each.

    Raises:
        UserError: images are in both splits, the training split has no stroke at all, or not one pixel can be
            scored.
    """
    _refuse_shared(dataset, train, val)
    _refuse_nothing_to_learn(train)
    for name, found in train.marks.items():
        _refuse_no_marks(name, found)
    _refuse_nothing_to_score(dataset.card, val)
    fit = misfits(dataset, train.strokes) if train.strokes else ()
    return (*dataset.notices(), *_warnings(dataset.card, train, val), *fit)


def _refuse_shared(dataset: DatasetFolder, train: Survey, val: Survey) -> None:
    shared = sorted(train.photographs.keys() & val.photographs.keys())
    if shared:
        raise UserError(
            f"{len(shared)} images of {dataset.root} are in train and val, such as {shared[0]}: "
            "a network would be scored on what it was trained on. Take them off one list."
        )


def _refuse_nothing_to_learn(train: Survey) -> None:
    if train.strokes and not any(found.counts for found in train.strokes.values()):
        raise UserError(
            f"Not one of the {len(train.strokes)} training images has a stroke. "
            "Give --data-dir a folder with annotated images."
        )


def _refuse_no_marks(name: str, found: Mapping[str, Found]) -> None:
    word = name.split()[0]
    if not any(one.counts for one in found.values()):
        raise UserError(
            f"Not one of the {len(found)} training images has {word}. Give --data-dir a folder that has "
            "some, or a method with other supervision."
        )


def _refuse_nothing_to_score(card: DatasetCard, val: Survey) -> None:
    if not any(_scored(found, card) for found in val.masks.values()):
        raise UserError(
            f"Not one pixel of the {len(val.masks)} val masks has a class: all are {card.ignore_index}, the "
            "ignore index. Give masks with class indices."
        )


def _scored(found: Found, card: DatasetCard) -> int:
    return sum(pixels for label, pixels in found.counts.items() if label != card.ignore_index)


def _warnings(card: DatasetCard, train: Survey, val: Survey) -> Iterator[str]:
    true = _sum(val.masks.values())
    for index, name in enumerate(card.classes):
        if not true[index]:
            yield f"class '{name}' has no true pixel in any val mask" + _white(true, card)
    if train.strokes:
        drawn = _sum(train.strokes.values())
        for index, name in enumerate(card.classes):
            if not drawn[index]:
                yield f"class '{name}' has no stroke in any training image"
        yield from _labelled(train.strokes)
        yield from _bare("stroke", train.strokes)
    for name, of_kind in train.marks.items():
        yield from _marked(name.split()[0], of_kind, card)
    yield from _twins(train, val)
    void = [image for image, found in val.masks.items() if not _scored(found, card)]
    if void:
        yield f"{len(void)} of {len(val.masks)} val masks have no pixel to score, such as {void[0]}"


def _marked(word: str, found: Mapping[str, Found], card: DatasetCard) -> Iterator[str]:
    """Say what clicks, boxes or tags lack, and what was mended in them."""
    counts = _sum(found.values())
    for index, name in enumerate(card.classes[1:], 1):
        if not counts[index]:
            yield f"class '{name}' has no {word} in any training image"
    yield from _bare(word, found)
    mended: Counter[str] = Counter()
    for one in found.values():
        mended.update(one.repairs)
    yield from (f"{count} {repair}" for repair, count in sorted(mended.items()))


def _bare(word: str, found: Mapping[str, Found]) -> Iterator[str]:
    bare = [image for image, one in found.items() if not one.counts]
    if bare:
        yield f"{len(bare)} of {len(found)} training images have no {word}, such as {bare[0]}"


def _white(true: Mapping[int, int], card: DatasetCard) -> str:
    """Name the usual cause: masks of 0 and 255, in which the object is white."""
    if card.ignore_index != _WHITE or {label for label in true if true[label]} != {0, _WHITE}:
        return ""
    return f": the masks hold only 0 and {_WHITE}, and {_WHITE} is not scored"


def _labelled(strokes: Mapping[str, Found]) -> Iterator[str]:
    much = [i for i, found in strokes.items() if found.labelled > MOST_LABELLED * found.height * found.width]
    if much:
        yield (
            f"strokes label more than {MOST_LABELLED:.0%} of the pixels on {len(much)} of {len(strokes)} "
            f"training images, such as {much[0]}"
        )


def _twins(train: Survey, val: Survey) -> Iterator[str]:
    """Name photographs that are there twice: what was learned by heart is not recognised."""
    first = {found.digest: image for image, found in reversed(train.photographs.items())}
    both = [(image, first[f.digest]) for image, f in val.photographs.items() if f.digest in first]
    if both:
        yield (
            f"{len(both)} of {len(val.photographs)} val photographs are training photographs under another "
            f"name, such as {both[0][0]} and {both[0][1]}"
        )
    repeated = [image for image, found in train.photographs.items() if first[found.digest] != image]
    if repeated:
        yield (
            f"{len(repeated)} of {len(train.photographs)} training photographs have the same pixels as "
            f"another, such as {repeated[0]} and {first[train.photographs[repeated[0]].digest]}"
        )


def _sum(found: Iterable[Found]) -> Counter[int]:
    total: Counter[int] = Counter()
    for one in found:
        total.update(one.counts)
    return total
