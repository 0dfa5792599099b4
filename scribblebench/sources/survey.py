"""What a split holds, file by file: read once, and remembered for as long as the files stay as they are."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import msgspec
import numpy as np

from scribblebench.core.errors import UserError, several
from scribblebench.core.files import fingerprint, write_atomic
from scribblebench.core.identity import stated
from scribblebench.pictures.photographs import decoder, read_photograph
from scribblebench.scribbles.digest import pixels_digest, strokes_digest
from scribblebench.scribbles.draw import draw
from scribblebench.scribbles.pen import Pen
from scribblebench.sources.folder import DatasetFolder
from scribblebench.sources.manifest import Digests, over
from scribblebench.sources.readers import READERS
from scribblebench.sources.stamps import SETTLED, Stamp, newest, stamp
from scribblebench.sources.workers import default_workers

T = TypeVar("T")
Progress = Callable[[int, int], None]

# Raise it when a file would be found to hold something else than before.
RULE = 1


class Found(msgspec.Struct, frozen=True, array_like=True):
    """What one image has of one kind.

    Attributes:
        digest: of its content.
        height: in pixels.
        width: in pixels.
        counts: pixels of each label of a mask; strokes of each class.
        labelled: pixels that strokes label.
        repairs: what was mended in the source of marks, and how often.
    """

    digest: str
    height: int
    width: int
    counts: dict[int, int] = {}
    labelled: int = 0
    repairs: dict[str, int] = {}


_Findings = dict[str, dict[str, tuple[Stamp, Found]]]


class FileKind(NamedTuple):
    """One kind of file: which files an image's finding depends on, and how it is read."""

    files: Callable[[DatasetFolder, str], Sequence[Path]]
    read: Callable[[DatasetFolder, str], Found]


class Survey(msgspec.Struct, frozen=True):
    """What a split holds; kinds that were not asked for are empty.

    Attributes:
        photographs: image -> what was found, in the order of the ids.
        strokes: the same of strokes.
        masks: the same of dense masks.
        marks: the same of clicks, boxes or tags, by kind.
    """

    photographs: dict[str, Found]
    strokes: dict[str, Found]
    masks: dict[str, Found]
    marks: dict[str, dict[str, Found]] = {}

    @property
    def digests(self) -> Digests:
        """Digests over the split."""
        kinds = (self.photographs, self.strokes, self.masks)
        photographs, strokes, masks = (over(_digests(kind)) if kind else "" for kind in kinds)
        marks = {name: over(_digests(found)) for name, found in self.marks.items()}
        return Digests(photographs, strokes, masks, marks)

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Height and width of each photograph."""
        return [(found.height, found.width) for found in self.photographs.values()]


def _digests(found: Mapping[str, Found]) -> dict[str, str]:
    return {image: one.digest for image, one in found.items()}


def survey(
    dataset: DatasetFolder,
    split: str,
    *,
    strokes: bool,
    masks: bool,
    marks: Mapping[str, FileKind] = MappingProxyType({}),
    memory: Path | None = None,
    progress: Progress | None = None,
) -> Survey:
    """Look at every file of a split that will be needed.

    Args:
        dataset: the folder.
        split: which images.
        strokes: whether strokes are needed.
        masks: whether dense masks are.
        marks: kinds of marks that are needed; what is found is remembered under their names.
        memory: file in which findings are kept for the next time, or None.
        progress: called with images done and images in all.

    Raises:
        UserError: files are missing or malformed; the first ten are named.
    """
    ids = sorted(dataset.ids(split))
    kinds = {"photographs": True, "strokes": strokes, "masks": masks}
    asked = {name: _KINDS[name] for name, needed in kinds.items() if needed} | dict(marks)
    known = _Memory(memory, dataset)

    def look(image: str) -> dict[str, Found] | str:
        try:
            return {name: known.find(name, kind, image) for name, kind in asked.items()}
        except UserError as error:
            return str(error)

    with ThreadPoolExecutor(default_workers()) as pool:
        found = dict(zip(ids, _counted(pool.map(look, ids), len(ids), progress), strict=True))
    if errors := [answer for answer in found.values() if isinstance(answer, str)]:
        raise UserError(several(errors, f"{len(errors)} of {len(ids)} {split} images cannot be used"))
    known.keep()
    good = {image: answer for image, answer in found.items() if not isinstance(answer, str)}
    by_kind = {name: {image: answer[name] for image, answer in good.items()} for name in asked}
    photographs, of_strokes, of_masks = (by_kind.get(name, {}) for name in kinds)
    return Survey(photographs, of_strokes, of_masks, {name: by_kind[name] for name in marks})


def _counted(answers: Iterable[T], total: int, progress: Progress | None) -> Iterable[T]:
    for done, answer in enumerate(answers, 1):
        yield answer
        if progress:
            progress(done, total)


class _Memory:
    """Findings of earlier surveys, each good for as long as its files keep their stamps."""

    def __init__(self, path: Path | None, dataset: DatasetFolder) -> None:
        self.path = path
        self.dataset = dataset
        self.made_by = _made_by(dataset)
        self.found = self._load()
        self.changed = False

    def _load(self) -> _Findings:
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeError):  # it only saves time
            kept = msgspec.json.decode(self.path.read_bytes(), type=_Kept) if self.path else None
            if kept and kept.made_by == self.made_by and kept.sha256 == _sha256(kept.found):
                return msgspec.json.decode(kept.found, type=_Findings)
        return {}

    def find(self, name: str, kind: FileKind, image: str) -> Found:
        """Return what is known of an image, or look at it."""
        now = stamp(kind.files(self.dataset, image))
        known = self.found.setdefault(name, {}).get(image)
        if known is not None and known[0] == now:
            return known[1]
        found = kind.read(self.dataset, image)
        self.found[name][image] = (now, found)
        self.changed = True
        return found

    def keep(self) -> None:
        """Write what is known, but for files that were written a moment ago."""
        if not self.changed or self.path is None:
            return
        last = time.time_ns() - SETTLED
        settled = {
            name: {image: known for image, known in of_kind.items() if newest(known[0]) < last}
            for name, of_kind in self.found.items()
        }
        with contextlib.suppress(UserError):  # it only saves time, and the folder may be another's
            raw = msgspec.json.encode(settled)
            write_atomic(self.path, msgspec.json.encode(_Kept(self.made_by, _sha256(raw), msgspec.Raw(raw))))


class _Kept(msgspec.Struct):
    """Findings, encoded, with their digest: a number's identity rests on them."""

    made_by: str
    sha256: str
    found: msgspec.Raw


def _sha256(raw: bytes | msgspec.Raw) -> str:
    return hashlib.sha256(raw).hexdigest()


def _made_by(dataset: DatasetFolder) -> str:
    """Tell what findings depend on besides the files: the card, the reader, the decoder and these rules."""
    reader = f"{dataset.strokes} {READERS.get(dataset.strokes).rule}" if dataset.strokes else ""
    return fingerprint(
        [RULE, stated(dataset.card), os.fsencode(dataset.root.resolve()).hex(), reader, decoder()]
    )


def _photograph_files(dataset: DatasetFolder, image: str) -> list[Path]:
    return [dataset.image_path(image)]


def _photograph(dataset: DatasetFolder, image: str) -> Found:
    pixels = read_photograph(dataset.image_path(image))
    height, width = pixels.shape[:2]
    return Found(pixels_digest(pixels), height, width)


def _stroke_files(dataset: DatasetFolder, image: str) -> list[Path]:
    return [dataset.image_path(image), *dataset.reader.files(dataset.card, dataset.root, image)]


def _strokes(dataset: DatasetFolder, image: str) -> Found:
    annotation = dataset.annotation(image)
    label = draw(annotation, Pen(), dataset.card.ignore_index)
    counts = Counter(stroke.class_index for stroke in annotation.strokes)
    labelled = int(np.count_nonzero(label != dataset.card.ignore_index))
    return Found(strokes_digest(annotation), annotation.height, annotation.width, dict(counts), labelled)


def _mask_files(dataset: DatasetFolder, image: str) -> list[Path]:
    return [dataset.image_path(image), dataset.mask_path(image)]


def _mask(dataset: DatasetFolder, image: str) -> Found:
    mask = dataset.mask(image)
    counts = np.bincount(mask.reshape(-1), minlength=256)
    held = {int(label): int(counts[label]) for label in np.flatnonzero(counts)}
    height, width = mask.shape
    return Found(pixels_digest(mask), height, width, held)


_KINDS: Mapping[str, FileKind] = {
    "photographs": FileKind(_photograph_files, _photograph),
    "strokes": FileKind(_stroke_files, _strokes),
    "masks": FileKind(_mask_files, _mask),
}
