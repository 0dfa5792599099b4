"""One process at a time on one cell, also across machines that share a folder."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from scribblebench.core.errors import UserError


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Take a lock if nobody holds it; never wait.

    The operating system lets go of the lock when its process ends, however it ends.

    Args:
        path: the lock's own file, kept beside what it guards.

    Yields:
        True while the lock is held by us, False where another process has it.

    Raises:
        UserError: the folder cannot be written.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise UserError(f"Cannot lock {path}: {error.strerror or error}.") from error
    try:
        yield True
    finally:
        lock.release()


@contextlib.contextmanager
def wait_lock(path: Path) -> Iterator[None]:
    """Take a lock, waiting for whoever holds it.

    Args:
        path: the lock's own file, kept beside what it guards.

    Raises:
        UserError: the folder cannot be written.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise UserError(f"Cannot lock {path}: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
