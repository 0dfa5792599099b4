"""Strokes from ScribbleSup's XML files."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path, PurePath
from typing import ClassVar

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.names import nfc
from scribblebench.pictures.finding import find
from scribblebench.scribbles.repair import NAMED
from scribblebench.scribbles.stroke import Annotation
from scribblebench.scribbles.xml import read_xml
from scribblebench.sources.readers import READERS, Reader, check_size, holds_any, stems

# Its last part: some tools write the folders before it.
_FILENAME = re.compile(rb"<filename>(?:[^<]*[\\/])?([^<\\/]*)</filename>")


@READERS.register
class Xml(Reader, frozen=True):
    """``scribble_annotation/pascal_2012/<id>.xml``."""

    order: ClassVar[int] = 0
    looks_for: ClassVar[str] = "XML strokes in {strokes}/"

    def present(self, card: DatasetCard, root: Path) -> bool:
        """Tell whether there is any XML file."""
        return holds_any(root / card.layout.strokes, ".xml")

    def ids(self, card: DatasetCard, root: Path) -> list[str]:
        """List the ids that have an XML file."""
        return stems(root / card.layout.strokes, ".xml")

    def files(self, card: DatasetCard, root: Path, image: str) -> list[Path]:
        """The one of its name (see ``Reader``)."""
        return [root.joinpath(card.layout.strokes, f"{image}.xml")]

    def read(
        self, card: DatasetCard, root: Path, image: str, size: tuple[int, int]
    ) -> tuple[Annotation, Counter[str]]:
        """Read one file, and compare its size with the photograph's."""
        path = find(root / card.layout.strokes, image, ".xml")
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError(
                f"{path} cannot be read ({error.strerror}). Fetch it, or take its id off the list."
            ) from error
        annotation, repairs = read_xml(data, image, card.class_of, str(path))
        check_size(path, (annotation.width, annotation.height), size)
        repairs[NAMED] += _names_another(data, image)
        return annotation, +repairs


def _names_another(data: bytes, image: str) -> bool:
    """Tell whether an annotation file says that it is another image's."""
    found = _FILENAME.search(data)
    name = nfc(found[1].decode("utf-8", "replace").strip()) if found else ""
    return bool(name) and PurePath(image).name.casefold() not in (
        name.casefold(),
        name.rpartition(".")[0].casefold(),
    )
