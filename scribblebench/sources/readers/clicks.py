"""Strokes of one point each, from the clicks of "What's the point" and its background twin."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import numpy as np
from msgspec import Meta

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id, nfc
from scribblebench.core.text import read_text
from scribblebench.scribbles.repair import FARTHEST, SINGLE, repair
from scribblebench.scribbles.stroke import Annotation
from scribblebench.sources.readers import READERS, Reader


class Click(msgspec.Struct, frozen=True):
    """One click; the files may hold more fields than these.

    Attributes:
        x: in pixels.
        y: in pixels.
        cls: index of its class.
        rank: which of the image's objects of this class it is on; the first is the largest, as people saw it.
    """

    x: float
    y: float
    cls: Annotated[int, Meta(ge=0)]
    rank: int = 1


@READERS.register
class Clicks(Reader, frozen=True):
    """``voc_whats_the_point.json`` and ``voc_whats_the_point_bg_from_scribbles.json``."""

    order: ClassVar[int] = 2
    looks_for: ClassVar[str] = "clicks in {clicks}"

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether there is a file of clicks on objects; the background's may be missing."""
        return (root / card.layout.clicks).is_file()

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the ids that have clicks."""
        paths = self._paths(card, root)
        return sorted({check_id(image, str(path)) for path in paths for image in load_clicks(path)})

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """The same for every image (see ``Reader``)."""
        del image
        return self._paths(card, root)

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Turn the clicks of one image into single points, background first."""
        raw = []
        for path in self._paths(card, root):
            for click in load_clicks(path).get(image, []):
                if click.cls >= len(card.classes):
                    raise UserError(
                        f"{path}: {image} has a click of class {click.cls}, which {card.name} lacks."
                    )
                if not max(abs(click.x), abs(click.y)) <= FARTHEST:
                    raise UserError(f"{path}: {image} has a click at {click.x:g}, {click.y:g}. Mend it.")
                raw.append((click.cls, np.array([[click.x, click.y]])))
        annotation, repairs = repair(image, *size, raw)
        del repairs[SINGLE]  # every click is one
        return annotation, repairs

    def _paths(self, card: DatasetCard, root: Path) -> list[Path]:
        paths = (root / card.layout.background_clicks, root / card.layout.clicks)
        return [path for path in paths if path.is_file()]


def load_clicks(path: Path) -> dict[str, list[Click]]:
    """Read a file of clicks: image -> its clicks.

    Raises:
        UserError: it is none.
    """
    try:
        return _decode(path, path.stat().st_mtime_ns)
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{path} is no file of clicks ({error}). Fetch it again.") from error


@lru_cache(maxsize=4)
def _decode(path: Path, modified: int) -> dict[str, list[Click]]:
    del modified  # it is part of the cache's key
    clicks = msgspec.json.decode(read_text(path), type=dict[str, list[Click]])
    return {nfc(image): of_image for image, of_image in clicks.items()}
