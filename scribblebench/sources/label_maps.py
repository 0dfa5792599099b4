"""Label maps that were made of strokes and predictions, kept so that they are made once: a folder of PNGs."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scribblebench.core.files import file_sha256, fingerprint, write_atomic
from scribblebench.pictures.labels import read_labels
from scribblebench.scribbles.png import encode_labels
from scribblebench.store.lock import wait_lock

Labels = NDArray[np.uint8]
Make = Callable[[Sequence[str]], Iterable[tuple[str, Labels]]]
"""Ids of images -> each with its label map, in any order."""

_JOURNAL = "labels.jsonl"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LabelMaps:
    """A folder of label maps: a PNG an image, and a journal with the digest of each file.

    Attributes:
        root: the folder; while it is being made it has another name.
        made_from: everything that decides the labels.
    """

    root: Path
    made_from: dict[str, Any]

    @classmethod
    def below(cls, folder: Path, made_from: dict[str, Any]) -> LabelMaps:
        """Name the folder of the label maps that are made from something."""
        return cls(folder / f"labels-{fingerprint(made_from)[:16]}", made_from)

    @property
    def _unfinished(self) -> Path:
        return self.root.with_name(f"{self.root.name}.making")

    def path(self, image: str) -> Path:
        """Return the path of a label map."""
        return self.root / f"{image}.png"

    def label(self, image: str) -> Labels:
        """Read a label map, uint8 (h, w)."""
        return read_labels(self.path(image))

    def are_whole(self, ids: Sequence[str]) -> bool:
        """Tell whether the label maps of all images are there, as they were made."""
        return _sound(self.root, self.made_from).issuperset(ids)

    def ensure(
        self, ids: Sequence[str], make: Make, advance: Callable[[int], None] = lambda done: None
    ) -> None:
        """Make what is missing; two processes that do so take turns.

        What an earlier call made before it was stopped is kept. Files that were changed are made again.

        Args:
            ids: the images.
            make: makes label maps.
            advance: told the number of images done.
        """
        with wait_lock(self.root.with_name(f".{self.root.name}.lock")):
            if self.are_whole(ids):
                return
            if self.root.exists():
                _log.warning("%s is not what was made; it is made again.", self.root)
                shutil.rmtree(self.root)
            self._make(ids, make, advance)
            self._unfinished.rename(self.root)

    def _make(self, ids: Sequence[str], make: Make, advance: Callable[[int], None]) -> None:
        folder = self._unfinished
        kept = _sound(folder, self.made_from)
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            _line({"made_from": self.made_from}),
            *(_line(_entry(folder, image)) for image in sorted(kept)),
        ]
        write_atomic(folder / _JOURNAL, "".join(lines))
        missing = [image for image in ids if image not in kept]
        with (folder / _JOURNAL).open("a", encoding="utf-8", newline="\n") as journal:
            for done, (image, labels) in enumerate(make(missing), len(kept) + 1):
                path = folder / f"{image}.png"
                path.parent.mkdir(parents=True, exist_ok=True)  # an id may name a sub-folder
                write_atomic(path, encode_labels(labels), durable=False)
                journal.write(_line(_entry(folder, image)))
                journal.flush()
                advance(done)


def _entry(folder: Path, image: str) -> dict[str, str]:
    return {"image": image, "sha256": file_sha256(folder / f"{image}.png")}


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False) + "\n"


def _sound(folder: Path, made_from: dict[str, Any]) -> set[str]:
    """List the images whose files are those of the journal; none where it is another's, or is damaged."""
    try:
        first, *lines = (folder / _JOURNAL).read_text(encoding="utf-8").splitlines(keepends=True)
        if first != _line({"made_from": made_from}):
            return set()
        whole = [json.loads(line) for line in lines if line.endswith("\n")]
        return {entry["image"] for entry in whole if entry == _entry(folder, entry["image"])}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
