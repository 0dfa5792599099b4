"""Files: written to a temporary name and renamed, so that a reader never meets half a file."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scribblebench.core.errors import UserError


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write a whole file or nothing; text is UTF-8.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    raw = data.encode("utf-8") if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(raw)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise UserError(f"Cannot write {path}: {error.strerror or error}.") from error


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Build a folder aside and rename it into place when the block ends well.

    Yields a new folder beside ``folder``. If the block raises (Ctrl-C included), nothing stays.

    Raises:
        UserError: ``folder`` exists by the time it is to be put in place, or cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UserError(f"Cannot write {folder}: {error.strerror or error}.") from error
    try:
        aside.chmod(0o755)
        yield aside
        aside.rename(folder)
    except OSError as error:
        # An OSError about somebody else's file keeps its own name; ours speaks of the folder.
        raise UserError(f"Cannot write {error.filename or folder}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


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
