"""A folder in PASCAL VOC's layout, given by the user or fetched."""

from __future__ import annotations

from pathlib import Path

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import visible
from scribblebench.sources.kinds import KINDS, Kind


@KINDS.register
class Voc(Kind, frozen=True):
    """``--data-dir``, or ``data/<name>/source`` where ``fetch`` puts it."""

    def locate(self, card: DatasetCard, data_dir: Path | None) -> Path:
        """Return the folder, which must hold photographs."""
        root = data_dir or Path("data") / card.name / "source"
        fetch = f" or run 'scribblebench fetch {card.name}'" if card.archives else ""
        if not root.is_dir():
            raise UserError(f"No folder at {root}. Give --data-dir{fetch}.")
        images = root / card.layout.images
        if not images.is_dir():
            raise UserError(
                f"No {card.name} folder at {root}: {images.name}/ is missing. Give --data-dir{fetch}."
            )
        if not visible(images, "*"):
            raise UserError(f"No photographs in {images}: the folder is empty. Give --data-dir{fetch}.")
        return root
