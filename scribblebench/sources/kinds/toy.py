"""The generated toy dataset: made when it is first asked for."""

from __future__ import annotations

from pathlib import Path

from scribblebench.core.cards import DatasetCard
from scribblebench.sources.kinds import KINDS, Kind
from scribblebench.sources.kinds.voc import Voc


@KINDS.register
class Toy(Kind, frozen=True):
    """``--data-dir``, or generated into ``data/toy/source``."""

    def locate(self, card: DatasetCard, data_dir: Path | None) -> Path:
        """Return the folder; generate it if it is not there."""
        if data_dir is None:
            from scribblebench.sources.toy import ensure_toy

            data_dir = ensure_toy()
        return Voc().locate(card, data_dir)

    def generate(self, root: Path) -> bool:
        """Draw all scenes that are not there yet."""
        from scribblebench.sources.toy import ensure_toy

        ensure_toy(root)
        return True
