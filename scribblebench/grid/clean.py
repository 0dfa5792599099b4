"""What folders can do without: states on the way, labels of stages, locks. Never a result."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.files import is_leftover
from scribblebench.pictures.decoded import decoded_files, decoded_locks, lock_of
from scribblebench.store.lock import is_held, try_lock


@dataclass(frozen=True)
class Folders:
    """Where to look.

    Attributes:
        runs: folder of records.
        variants: folder of variants, a folder for each dataset in it.
    """

    runs: Path
    variants: Path


Found = Iterator[tuple[Path, Path | None]]
"""Files that may go, each with the lock of whoever uses it."""


@dataclass(frozen=True)
class Rubbish:
    """Something that may go.

    Attributes:
        kind: a key of ``KINDS``.
        path: a file or a folder.
        size: in bytes.
        lock: whoever holds it uses the file; None where nobody can.
    """

    kind: str
    path: Path
    size: int
    lock: Path | None


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        what: in a few words.
        price: what is lost with it.
        find: lists it.
        shared: cells that run may come to need it.
    """

    what: str
    price: str
    find: Callable[[Folders], Found]
    shared: bool = True


def _prefixes(at: Folders) -> Found:
    for path in (at.runs / "checkpoints").glob("prefix-*.safetensors"):
        yield path, path.with_suffix(".lock")


def _partials(at: Folders) -> Found:
    for path in (at.runs / "checkpoints").glob("*.partial.safetensors"):
        yield path, path.with_name(path.name.replace(".partial.safetensors", ".lock"))


def _labels(at: Folders) -> Found:
    for path in (at.runs / "label-maps").glob("labels-*"):
        yield path, path.with_name(f".{path.name.removesuffix('.making')}.lock")


def _damaged(at: Folders) -> Found:
    yield from ((path, None) for path in (at.runs / "checkpoints").glob("*.damaged"))


def _locks(at: Folders) -> Found:
    for locks in (
        at.runs.glob("*.lock"),
        (at.runs / "checkpoints").glob("*.lock"),
        (at.runs / "label-maps").glob(".*.lock"),
        decoded_locks(at.variants),
    ):
        yield from ((path, path) for path in locks)


def _temporary(at: Folders) -> Found:
    own = ("checkpoints", "progress", "grids", "predictions")
    for folder in (at.runs, *(at.runs / name for name in own), *at.variants.glob("*/")):
        yield from ((path, None) for path in folder.glob(".*.tmp") if is_leftover(path))


def _progress(at: Folders) -> Found:
    yield from ((path, at.runs / f"{path.stem}.lock") for path in (at.runs / "progress").glob("*.json"))


def _photographs(at: Folders) -> Found:
    yield from ((path, lock_of(path)) for path in decoded_files(at.variants))


KINDS: dict[str, Kind] = {
    "prefixes": Kind(
        "beginnings that cells share", "cells that begin alike train that part again", _prefixes
    ),
    "stages": Kind("label maps that stages made", "they are made again by whoever needs them", _labels),
    "partial": Kind("states of trainings under way", "interrupted cells begin anew", _partials),
    "photographs": Kind("decoded photographs", "they are decoded again by whoever needs them", _photographs),
    "damaged": Kind("damaged checkpoints set aside", "nothing", _damaged, shared=False),
    "temporary": Kind("files that killed writers left", "nothing", _temporary, shared=False),
    "progress": Kind("progress of cells that nobody is at", "nothing", _progress, shared=False),
    "locks": Kind("lock files that nobody holds", "nothing", _locks, shared=False),
}


def rubbish(at: Folders, kinds: tuple[str, ...]) -> list[Rubbish]:
    """List what may go now: nothing that a living process holds, or that cells that run may come to need."""
    busy = _busy(at)
    found = []
    for kind in KINDS:
        if kind in kinds and not (busy and KINDS[kind].shared):
            entries = sorted(KINDS[kind].find(at))
            found += [
                Rubbish(kind, path, _size(path), lock)
                for path, lock in entries
                if lock is None or not is_held(lock)
            ]
    return found


def in_use(at: Folders, kinds: tuple[str, ...]) -> list[str]:
    """List the kinds that stay because cells are running."""
    return [kind for kind in KINDS if kind in kinds and KINDS[kind].shared] if _busy(at) else []


def _busy(at: Folders) -> bool:
    return any(is_held(path) for path in at.runs.glob("*.lock"))


def remove(found: Rubbish) -> bool:
    """Remove one, under its lock; tell whether it is gone."""
    if found.lock is None:
        _unlink(found.path)
        return True
    with try_lock(found.lock) as held:
        if held:
            _unlink(found.path)
    if held and found.kind != "locks":
        found.lock.unlink(missing_ok=True)
    return held


def _unlink(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.stat().st_size
    return total
