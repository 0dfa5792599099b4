"""Kinds of dataset, one a file: how a card's ``source`` becomes a folder."""

from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.core.registry import Part, Registry


class Kind(Part, frozen=True):
    """One kind of dataset.

    Attributes:
        at_first_use: it is made when it is first asked for, so that nobody need have it.
    """

    at_first_use: ClassVar[bool] = False

    def locate(self, card: DatasetCard, data_dir: Path | None) -> Path:
        """Return the dataset's folder.

        Args:
            card: the dataset.
            data_dir: what the user gave, if anything.

        Raises:
            UserError: there is none, and what to do.
        """
        raise NotImplementedError

    def generate(self, root: Path) -> bool:
        """Make the dataset in a folder, where it can be made; False where it has to be fetched."""
        del root
        return False


KINDS: Registry[Kind] = Registry("kind of dataset", __name__, Kind)
