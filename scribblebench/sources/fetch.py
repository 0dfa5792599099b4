"""A dataset from its card's archives: all of them checked first, unpacked aside, renamed at the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from scribblebench.core.cards import DatasetCard
from scribblebench.core.errors import UserError
from scribblebench.core.files import building, to_json, write_atomic
from scribblebench.sources.download import Fetched, Report, obtain
from scribblebench.sources.unpack import unpack
from scribblebench.store.lock import wait_lock

NOTE = "fetched.json"
"""Says in the dataset's folder which archives it came from."""

Progress = Callable[[str], AbstractContextManager[Report]]


def fetch(
    card: DatasetCard, root: Path, cache: Path, progress: Progress, offline: bool = False
) -> list[Fetched]:
    """Fetch a dataset into a folder in VOC layout.

    Args:
        card: names the archives.
        root: the folder to make.
        cache: folder of downloads, kept for the next time.
        progress: shows how far each download is.
        offline: use the cache alone.

    Returns:
        The archives, each with its checksum; none where ``root`` has been fetched before.

    Raises:
        UserError: the card has no archives, ``root`` holds something else, an archive cannot be had, or is
            not what the card means. ``root`` is then as it was.
    """
    if not card.archives:
        raise UserError(
            f"The card of {card.name} names no archives. Give --data-dir the folder that you have."
        )
    if _is_there(card, root):
        return []
    if root.is_dir() and any(root.iterdir()):
        raise UserError(f"{root} is not empty. Move it, or give --out another folder.")
    with wait_lock(cache / f".{card.name}.lock"):
        fetched = list(_obtain_all(card, cache, progress, offline))
        _unpack_all(card, root, fetched)
    return fetched


def _is_there(card: DatasetCard, root: Path) -> bool:
    try:
        note = json.loads((root / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(note, dict) and note.get("dataset") == card.name


def _obtain_all(card: DatasetCard, cache: Path, progress: Progress, offline: bool) -> Iterator[Fetched]:
    for archive in card.archives:
        with progress(archive.name) as report:
            yield obtain(archive, cache, offline, report)


def _unpack_all(card: DatasetCard, root: Path, fetched: list[Fetched]) -> None:
    with building(root) as aside:
        for item in fetched:
            unpack(item.path, item.archive, aside)
        archives = {i.archive.name: {"sha256": i.sha256, "known": bool(i.archive.sha256)} for i in fetched}
        write_atomic(aside / NOTE, to_json({"dataset": card.name, "archives": archives}))
        if root.is_dir():
            root.rmdir()
