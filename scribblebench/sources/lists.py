"""Lists of images, in the forms that people have them in. A line is understood for certain, or refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.cards import Layout
from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id, nfc
from scribblebench.core.text import LINE_ENDS, read_text
from scribblebench.pictures.finding import find
from scribblebench.pictures.photographs import SUFFIXES

EXPECTED = "Expected an id a line, or a photograph's file and then other files of the same id."

_COLUMNS = re.compile(r"[\s,;]+")
# An id by itself: no folder, no column, no suffix.
_ALONE = re.compile(r"[\w-]+")
# VOC's lists of one class (ImageSets/Main): without it, difficult, with it. All are images of the split.
_PRESENCE = ("-1", "0", "1")
_SUFFIXES = (*SUFFIXES, ".xml", ".json", ".txt", ".npy", ".mat")
# Characters of a line; some columns of long paths have a tenth of it.
_LONGEST = 4096


def read_list(path: Path, root: Path, layout: Layout) -> list[str]:
    """Read the ids of a list, one a line.

    A line is an id; or a photograph's file, with or without its suffix and the folders that lead to it; or
    that and further columns: files of the same id, or VOC's -1, 0 and 1. Blank lines and those that start
    with ``#`` are passed over. Text is UTF-8, or UTF-16 and UTF-32 with a byte order mark; letters and their
    accents are one character each in an id (NFC), however the list or the system parts them.

    Args:
        path: the list.
        root: the dataset's folder: where a photograph of a line's very name lies, the line is its id.
        layout: the names of the folders below it.

    Raises:
        UserError: another encoding, a line that is none of these, an id twice, or no id at all.
    """
    folder = root / layout.images

    def holds(image: str) -> bool:
        return not _fault(image) and find(folder, image, layout.image_suffix, SUFFIXES).is_file()

    parser = _Lines(layout, holds)
    ids = []
    for number, line in enumerate(LINE_ENDS.split(read_text(path)), 1):
        image = parser.id_of(nfc(line.strip()), f"{path}, line {number}")
        if image:
            ids.append(image)
    if not ids:
        raise UserError(f"{path} lists no images. Fetch it again.")
    repeated = [image for image, count in Counter(ids).items() if count > 1]
    if repeated:
        raise UserError(f"{path} lists {repeated[0]} twice. Remove one.")
    return ids


def _fault(image: str) -> str:
    try:
        check_id(image, "")
    except UserError as error:
        return str(error)
    return ""


@dataclass(frozen=True)
class _Lines:
    """How a line becomes an id.

    Attributes:
        layout: the names of the dataset's folders.
        holds: tells whether there is a photograph of an id.
    """

    layout: Layout
    holds: Callable[[str], bool]

    def id_of(self, line: str, where: str) -> str:
        """Return the id of a line, or nothing where it has none.

        Raises:
            UserError: it cannot be understood for certain.
        """
        if _ALONE.fullmatch(line):
            return check_id(line, where)
        if len(line) > _LONGEST:
            raise UserError(f"{where}: {len(line):,} characters in a line. {EXPECTED}")
        if not line or (line.startswith("#") and not self.holds(line)):
            return ""
        if self.holds(line):
            return line
        image = self._file(line) or next(self._first_columns(line), "")
        if not image:
            raise UserError(f"{where}: {line[:80]!r} is no image of {self.layout.images}/. {EXPECTED}")
        return check_id(image, where)

    def _file(self, text: str) -> str:
        """Id of a photograph's file; nothing where it leads to none, or is several words."""
        path = _slashed(text)
        image = _without_suffix(_below(path, self.layout))
        if self.holds(image):
            return image
        understood = "/" not in image and not path.startswith("/") and not _COLUMNS.search(image)
        in_ours = image != _without_suffix(path) and not _COLUMNS.search(image)
        return image if understood or in_ours else ""

    def _first_columns(self, line: str) -> Iterator[str]:
        for gap in _COLUMNS.finditer(line):
            image, rest = self._file(line[: gap.start()]), line[gap.end() :]
            if image and (rest in _PRESENCE or _names(rest, image)):
                yield image


def _names(text: str, image: str) -> bool:
    """Tell whether a text is one file or several, each of this id.

    >>> _names("SegmentationClassAug/a b.png a b.xml", "a b"), _names("masks/b.png", "a b")
    (True, False)
    """
    # The shortest file that fits is taken, column by column: a line may have thousands.
    start = 0
    gaps = [gap.span() for gap in _COLUMNS.finditer(text)]
    for end, next_start in (*gaps, (len(text), len(text) + 1)):
        if f"/{_without_suffix(_slashed(text[start:end]))}".endswith(f"/{image}"):
            start = next_start
    return start > len(text)


def _slashed(text: str) -> str:
    return re.sub(r"[\\/]+", "/", text).removeprefix("./")


def _below(path: str, layout: Layout) -> str:
    """Cut off a path what leads to the dataset's photographs.

    >>> _below("/data/VOC2012/JPEGImages/x.jpg", Layout())
    'x.jpg'
    """
    _, found, rest = f"/{path}".rpartition(f"/{layout.images.strip('/')}/")
    return rest if found else path


def _without_suffix(path: str) -> str:
    stem, dot, suffix = path.rpartition(".")
    return stem if stem and f"{dot}{suffix}".lower() in _SUFFIXES else path
