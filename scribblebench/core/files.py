"""Files: written to a temporary name and renamed, so that a reader never meets half a file."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.core.host import host_name

# What a writer on another host left is taken for dead after this many seconds.
LEFT_FOR = 24 * 3600.0
_FULL = (errno.ENOSPC, errno.EDQUOT)
_OWNED = re.compile(r"\..+\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>\d+)\.[0-9a-f]{8}\.tmp")


def write_atomic(path: Path, data: bytes | str, *, durable: bool = True) -> None:
    """Write a whole file or nothing; text is UTF-8.

    Args:
        path: the file.
        data: what it is to hold.
        durable: hold also if the machine loses power. That takes some milliseconds a file: many that are
            made again at no cost can do without.

    Raises:
        NoSpaceError: the disk is full.
        UserError: the folder cannot be written.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    temporary = _aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(raw)
            file.flush()
            if durable:
                os.fsync(file.fileno())  # else the name may reach the disk before the bytes
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: OSError) -> UserError:
    """Say in a line that a file or folder cannot be written, and why."""
    kind = NoSpaceError if error.errno in _FULL else UserError
    return kind(f"Cannot write {path}: {error.strerror or error}.")


def _aside(path: Path) -> Path:
    """Return a temporary name that no other process on any host takes, and that tells whose it is."""
    return path.with_name(f".{path.name}.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", host_name())[:24] or "-"


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems cannot
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in a folder: temporary files, and folders half built."""
    if not folder.is_dir():
        return
    for path in folder.glob(".*.tmp"):
        if is_leftover(path):
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Tell whether a temporary file or folder of ours is one of a writer that is dead."""
    owner = _OWNED.fullmatch(path.name)
    return owner is not None and _is_left(path, owner["host"], int(owner["pid"]))


def _is_left(path: Path, host: str, pid: int) -> bool:
    """Tell whether the writer of a temporary file is dead; one on another host is judged by its age."""
    if host == _host() and os.name == "posix":
        return not _lives(pid)
    try:
        return time.time() - path.stat().st_mtime > LEFT_FOR
    except OSError:  # its writer has just renamed it
        return False


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it lives, and is somebody else's
        pass
    return True


@contextlib.contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Make a folder beside a file or folder that is to be replaced, for what will take its place.

    What is left in it when the block ends is removed; what a killed process left is removed by the next
    that works there.

    Raises:
        UserError: the folder, or a file named in the block, cannot be written.
    """
    folder = _aside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sweep(path.parent)
        folder.mkdir()
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        yield folder
    except OSError as error:
        # An OSError about somebody else's file keeps its own name; ours speaks of the path.
        raise cannot_write(Path(error.filename or path), error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Build a folder aside and rename it into place when the block ends well.

    Yields a new folder beside ``folder``. If the block raises (Ctrl-C included), nothing stays.

    Raises:
        UserError: ``folder`` exists by the time it is to be put in place, or cannot be written.
    """
    with aside(folder) as new:
        yield new
        new.rename(folder)
        _sync_folder(folder.parent)


def visible(folder: Path, pattern: str) -> list[Path]:
    """List the files below a folder that match a pattern, in order, without what systems leave there.

    Hidden files are none of ours: ``._x.png`` beside each ``x.png`` on drives that a Mac has written to.
    """
    found = folder.glob(pattern)
    return sorted(
        path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def to_json(value: Any) -> str:
    """Canonical JSON for people: sorted keys, two spaces, a newline at the end; NaN is refused."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def fingerprint(value: Any) -> str:
    """SHA-256 of a JSON-like value, independent of the order of keys.

    >>> fingerprint({"a": 1, "b": [2.5]}) == fingerprint({"b": [2.5], "a": 1})
    True
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def free_space(folder: Path) -> int:
    """Return the free bytes where a folder is or will be."""
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free
