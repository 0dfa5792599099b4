"""The generated toy dataset: made when it is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.sources.kinds import KINDS, Kind
from scribblebench.sources.kinds.voc import Voc

NOTE = "toy.json"
"""The generator's note in the folder that it made."""


@KINDS.register
class Toy(Kind, frozen=True):
    """``--data-dir``, or generated into ``data/toy/source``."""

    at_first_use: ClassVar[bool] = True

    def locate(self, card: DatasetCard, data_dir: Path | None) -> Path:
        """Return the folder; generate it if it is not there."""
        if data_dir is None:
            from scribblebench.sources.toy import ensure_toy

            data_dir = ensure_toy()
        elif (data_dir / card.layout.images).is_dir() and not (data_dir / NOTE).is_file():
            raise UserError(
                f"{data_dir} is not the generated {card.name} dataset (it has no {NOTE}). Name the dataset "
                "that it holds: --dataset voc2012, or a card of your own with --cards."
            )
        return Voc().locate(card, data_dir)

    def generate(self, root: Path) -> bool:
        """Draw all scenes that are not there yet."""
        from scribblebench.sources.toy import ensure_toy

        ensure_toy(root)
        return True
