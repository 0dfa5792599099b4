"""Where strokes come from, one way a file; a dataset folder is read by the first way it has files for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import visible
from scribblebench.core.names import check_id, nfc
from scribblebench.core.registry import Part, Registry
from scribblebench.scribbles.stroke import Annotation


class Reader(Part, frozen=True):
    """One way to obtain the strokes of an image.

    Attributes:
        order: readers with a lower number are preferred.
        looks_for: what the folder must hold, for messages.
    """

    order: ClassVar[int]
    looks_for: ClassVar[str]

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether the folder has what this reader reads."""
        raise NotImplementedError

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the images that have strokes: the dataset's ids where it has no list."""
        raise NotImplementedError

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """List the files that the strokes of one image are read from."""
        raise NotImplementedError

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Read the strokes of one image.

        Args:
            card: the dataset.
            root: its folder.
            image: the id.
            size: width and height of the photograph.

        Returns:
            The annotation and the repairs that it needed.

        Raises:
            UserError: missing, malformed, or of another size than the photograph.
        """
        raise NotImplementedError


READERS: Registry[Reader] = Registry("stroke source", __name__, Reader)


def stems(folder: Path, suffix: str) -> list[str]:
    """List the ids of the files of one kind in a folder and those below it.

    Raises:
        UserError: a file's name cannot be an id.
    """
    paths = visible(folder, f"**/*{suffix}")
    names = ((nfc(path.relative_to(folder).with_suffix("").as_posix()), path) for path in paths)
    return sorted({check_id(name, str(path)) for name, path in names})


def holds_any(folder: Path, suffix: str) -> bool:
    """Tell whether a folder, or one below it, holds a file of one kind."""
    return bool(visible(folder, f"*{suffix}") or visible(folder, f"**/*{suffix}"))


def check_size(path: Path, found: tuple[int, int], photograph: tuple[int, int]) -> None:
    """Look whether a file is for a photograph of this size.

    Args:
        path: the file.
        found: its width and height.
        photograph: the photograph's.

    Raises:
        UserError: it is not.
    """
    if found != photograph:
        raise UserError(
            f"{path} has {found[0]} x {found[1]} pixels, but the photograph has "
            f"{photograph[0]} x {photograph[1]}. Fetch both again."
        )
