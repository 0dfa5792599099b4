"""What a folder of records can do without: states on the way, labels of stages, locks. Never a result."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from scribblebench.core.files import is_leftover
from scribblebench.store.lock import is_held, try_lock


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
        find: its files in a folder, each with the lock of whoever uses it.
        shared: cells that run may come to need it.
        with_variants: it lies in the folder of variants, not in that of records.
    """

    what: str
    price: str
    find: Callable[[Path], Iterator[tuple[Path, Path | None]]]
    shared: bool = True
    with_variants: bool = False


def _prefixes(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    for path in (runs / "checkpoints").glob("prefix-*.safetensors"):
        yield path, path.with_suffix(".lock")


def _partials(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    for path in (runs / "checkpoints").glob("*.partial.safetensors"):
        yield path, path.with_name(path.name.replace(".partial.safetensors", ".lock"))


def _labels(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    for path in (runs / "label-maps").glob("labels-*"):
        yield path, path.with_name(f".{path.name.removesuffix('.making')}.lock")


def _damaged(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    yield from ((path, None) for path in (runs / "checkpoints").glob("*.damaged"))


def _locks(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    for folder, pattern in (
        (runs, "*.lock"),
        (runs / "checkpoints", "*.lock"),
        (runs / "label-maps", ".*.lock"),
    ):
        yield from ((path, path) for path in folder.glob(pattern))


def _temporary(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    for folder in (runs, *(runs / name for name in ("checkpoints", "progress", "grids", "predictions"))):
        yield from ((path, None) for path in folder.glob(".*.tmp") if is_leftover(path))


def _progress(runs: Path) -> Iterator[tuple[Path, Path | None]]:
    yield from ((path, runs / f"{path.stem}.lock") for path in (runs / "progress").glob("*.json"))


def _photographs(variants: Path) -> Iterator[tuple[Path, Path | None]]:
    for path in variants.glob("*/.photographs-*.bin"):
        yield path, path.with_suffix(".lock")


KINDS: dict[str, Kind] = {
    "prefixes": Kind(
        "beginnings that cells share", "cells that begin alike train that part again", _prefixes
    ),
    "stages": Kind("label maps that stages made", "they are made again by whoever needs them", _labels),
    "partial": Kind("states of trainings under way", "interrupted cells begin anew", _partials),
    "photographs": Kind(
        "decoded photographs",
        "they are decoded again by whoever needs them",
        _photographs,
        with_variants=True,
    ),
    "damaged": Kind("damaged checkpoints set aside", "nothing", _damaged, shared=False),
    "temporary": Kind("files that killed writers left", "nothing", _temporary, shared=False),
    "progress": Kind("progress of cells that nobody is at", "nothing", _progress, shared=False),
    "locks": Kind("lock files that nobody holds", "nothing", _locks, shared=False),
}


def rubbish(runs: Path, variants: Path, kinds: tuple[str, ...]) -> list[Rubbish]:
    """List what may go now: nothing that a living process holds, or that cells that run may come to need.

    Args:
        runs: folder of records.
        variants: folder of variants.
        kinds: keys of ``KINDS``.
    """
    busy = any(is_held(path) for path in runs.glob("*.lock"))
    found = []
    for kind in KINDS:
        if kind in kinds and not (busy and KINDS[kind].shared):
            entries = sorted(KINDS[kind].find(variants if KINDS[kind].with_variants else runs))
            found += [
                Rubbish(kind, path, _size(path), lock)
                for path, lock in entries
                if lock is None or not is_held(lock)
            ]
    return found


def in_use(runs: Path, kinds: tuple[str, ...]) -> list[str]:
    """List the kinds that stay because cells are running."""
    busy = any(is_held(path) for path in runs.glob("*.lock"))
    return [kind for kind in KINDS if kind in kinds and busy and KINDS[kind].shared]


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
