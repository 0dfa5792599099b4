"""What a method is told of its training images, one kind a file; a method's card names it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.registry import Part, Registry
from scribblebench.scribbles.mark import Mark
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.survey import FileKind

Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Targets:
    """What a method is told of one image, and nothing else.

    Attributes:
        labels: label map, (h, w); the ignore index where nothing is said.
        tags: the classes that the image is said to hold, bool (classes,). Nothing but strokes and masks can
            say that there is no background.
        marks: clicks, boxes or tags, where those are what is told.
    """

    labels: Labels
    tags: NDArray[np.bool_]
    marks: tuple[Mark, ...] = ()


Tell = Callable[[str], Targets]
"""Image -> what is told of it. It can be sent to another process."""


@dataclass(frozen=True)
class Told:
    """What is told of a dataset's images.

    Attributes:
        dataset: its folder.
        variant: the degradation.
        variants: strokes are degraded into a folder below this one.
        train: digests of the training split, before degradation.
        workers: processes that may degrade strokes.
        made: folders of degraded strokes that lie elsewhere than below ``variants``, by their variant's id.
    """

    dataset: DatasetFolder
    variant: VariantSpec
    variants: Path
    train: Digests
    workers: int = 1
    made: Mapping[str, Path] = field(default_factory=dict)


class Supervision(Part, frozen=True):
    """One kind of supervision.

    Attributes:
        word: what identities call it.
        reads: which of the dataset's strokes and masks are looked at as they are.
        degradable: whether degradations act on it; where not, every variant is the undegraded one.
    """

    word: ClassVar[str]
    reads: ClassVar[frozenset[str]] = frozenset()
    degradable: ClassVar[bool] = True

    def files(self) -> Mapping[str, FileKind]:
        """Say what a survey looks at for its marks, by a name that changes with what would be found."""
        return {}

    def told(self, of: Told) -> Tell:
        """Return what tells of each image, degraded.

        Raises:
            UserError: something else is where the degraded strokes should be.
        """
        raise NotImplementedError

    def stated(self, train: Digests, variant: VariantSpec, ignore_index: int) -> dict[str, Any]:
        """Return everything that decides what is told, and nothing else: it is part of a cell's identity."""
        raise NotImplementedError

    def notices(self, dataset: DatasetFolder) -> list[str]:
        """Say where what is told comes from, a line each, if not from where one would think."""
        del dataset
        return []


SUPERVISIONS: Registry[Supervision] = Registry("supervision", __name__, Supervision)
"""The shipped kinds of supervision by name."""


def supervision(name: str, where: str) -> Supervision:
    """Make the kind of supervision that a card names.

    Args:
        name: its name.
        where: the card, for the message.
    """
    return SUPERVISIONS.build(name, {}, where)


def check_degradation(name: str, variant: VariantSpec, where: str) -> None:
    """Look whether a variant means anything for a kind of supervision.

    Raises:
        UserError: it names a degradation that does not act on it.
    """
    if not SUPERVISIONS.get(name).degradable:
        return
    for (part, _), step in zip(variant.parts(), variant.degradations, strict=True):
        if name not in part.acts_on:
            raise UserError(
                f"{where} sees {name}, which '{step.kind}' cannot make worse: it acts on "
                f"{', '.join(sorted(part.acts_on))}. Give --rates 0, or a grid of another degradation."
            )


def tags_of_map(labels: Labels, card: DatasetCard) -> NDArray[np.bool_]:
    """Return which classes a label map holds, bool (classes,).

    >>> from scribblebench.core.library import Library
    >>> tags_of_map(np.array([[0, 2, 255]], dtype=np.uint8), Library().dataset("toy"))
    array([ True, False,  True, False, False, False])
    """
    counts = np.bincount(labels.reshape(-1), minlength=256)
    counts[card.ignore_index] = 0
    return np.asarray(counts[: len(card.classes)] > 0)
