"""One process at a time on one cell, also across machines that share a folder.

Where the file system has ``flock``, the operating system frees a lock when its process ends, however it
ends. Elsewhere (Lustre, some NFS) a lock is a lease: a file beside the lock's own that its holder touches
every few seconds, and that others take over once it is no longer touched.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease, Timeout

from scribblebench.core.errors import UserError
from scribblebench.core.host import host_name

# Seconds without a sign of life after which a lease is another's to take. A third of it between two signs.
LEASE = 30.0
# Seconds of waiting before it is said for whom.
PATIENCE = 5.0
# Somebody may just be looking whether a lock is held.
_BLINK = 0.3
_log = logging.getLogger(__name__)


@contextlib.contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Take a lock if nobody holds it; wait only to see whether the holder of a lease is still alive.

    Args:
        path: the lock's own file, kept beside what it guards.

    Yields:
        True while the lock is held by us, False where another process has it.

    Raises:
        UserError: the folder cannot be written.
    """
    with _errors(path):
        lock = _lock(path)
        held = _acquired(lock, _BLINK)
        if not held and _seems_left(lock):
            _log.warning("%s: no sign of life from %s; waiting for one.", path, holder(path))
            held = _acquired(lock, LEASE + 3)
        if held:
            _sign(path)
    try:
        yield held
    finally:
        lock.release()


@contextlib.contextmanager
def wait_lock(path: Path) -> Iterator[None]:
    """Take a lock, waiting for whoever holds it; after some seconds it is said for whom.

    Args:
        path: the lock's own file, kept beside what it guards.

    Raises:
        UserError: the folder cannot be written.
    """
    with _errors(path):
        lock = _lock(path)
        if not _acquired(lock, PATIENCE):
            _log.warning("Waiting for %s, which holds %s.", holder(path), path)
            while not _acquired(lock, LEASE):
                pass
        _sign(path)
    try:
        yield
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Tell whether a living process holds a lock, without waiting and without taking it for long."""
    if not path.exists():
        return False
    try:
        lock = _lock(path)
        if not _acquired(lock, 0):
            return not _seems_left(lock)
        lock.release()
    except OSError:  # a folder that may only be read: nobody can be asked
        return True
    return False


def holder(path: Path) -> str:
    """Say who took a lock last: process, host and when, as far as the file tells."""
    try:
        return path.read_text(encoding="utf-8").strip() or "another process"
    except (OSError, UnicodeDecodeError):
        return "another process"


def _sign(path: Path) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    path.write_text(f"process {os.getpid()} on {host_name()} (since {since})\n", encoding="utf-8")


def _lock(path: Path) -> BaseFileLock:
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(path, fallback_to_soft=False) if _has_flock(path) else _lease(path)


def _lease(path: Path) -> SoftFileLease:
    marker = path.with_name(f"{path.name}.lease")
    with contextlib.suppress(OSError):
        # A holder writes its name at once: an empty file is what is left of one that died before.
        if not marker.stat().st_size and _age(marker) > LEASE:
            marker.unlink()
    return SoftFileLease(marker, lease_duration=LEASE)


def _has_flock(path: Path) -> bool:
    """Ask the file system: one without answers ENOSYS."""
    try:
        import fcntl
    except ImportError:  # Windows, where FileLock has a way of its own
        return True
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as error:
        if error.errno not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK):
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def _acquired(lock: BaseFileLock, seconds: float) -> bool:
    try:
        lock.acquire(timeout=seconds)
        # Somebody cleaned up while the file was being opened: what we hold has no name any more.
        while not Path(lock.lock_file).exists():
            lock.release()
            lock.acquire(timeout=seconds)
    except Timeout:
        return False
    return True


def _seems_left(lock: BaseFileLock) -> bool:
    """Tell whether a lease shows no sign of life by this machine's clock."""
    with contextlib.suppress(OSError):
        return isinstance(lock, SoftFileLease) and _age(Path(lock.lock_file)) > 2 * LEASE
    return False


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


@contextlib.contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"Cannot lock {path}: {error.strerror or error}.") from error
