"""JSON documents with a checksum beside the fields, and folders read past those that are damaged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from scribblebench.core.errors import UserError
from scribblebench.core.files import fingerprint, to_json, write_atomic

# The first layout whose files carry a checksum.
CHECKED_SINCE = 2
_CHECKSUM = "checksum"

T = TypeVar("T")


@dataclass(frozen=True)
class Reading(Generic[T]):
    """What a folder of documents holds.

    Attributes:
        records: the documents that are sound, in the order of their file names.
        damaged: the files that are not, each with one line that names the file and what is wrong.
    """

    records: list[T]
    damaged: list[tuple[Path, str]]


def write_document(path: Path, document: msgspec.Struct) -> None:
    """Write a document and the SHA-256 of its fields, whole or not at all.

    Numbers that JSON cannot hold (a diverged loss) are written as null.

    Raises:
        UserError: the folder cannot be written.
    """
    fields = _finite(msgspec.to_builtins(document))
    if fields["schema"] >= CHECKED_SINCE:
        fields[_CHECKSUM] = fingerprint(fields)
    write_atomic(path, to_json(fields))


def read_document(path: Path, kind: type[T], schema: int, what: str) -> T:
    """Read one document and compare it with its checksum.

    Args:
        path: its file.
        kind: its layout, a msgspec struct.
        schema: the newest version of that layout.
        what: what it is called in messages, such as ``a record``.

    Raises:
        UserError: the file is unreadable, damaged, something else, or written by a later version.
    """
    try:
        raw = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"{path} is not {what}, nor any whole JSON file ({error}). Remove it.") from error
    version = raw.get("schema") if isinstance(raw, dict) else None
    if isinstance(version, int) and version > schema:
        raise UserError(
            f"{path} has schema {version}, newer than {schema} of this program. Update scribblebench."
        )
    checksum = raw.pop(_CHECKSUM, None) if isinstance(raw, dict) else None
    try:
        found = msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"{path} is not {what}: {error}. Mend or remove it.") from error
    if (checksum is not None or version != 1) and checksum != fingerprint(raw):
        raise UserError(f"{path} was changed after it was written: its checksum differs. Remove it.")
    return found


def read_folder(folder: Path, read: Callable[[Path], T], pattern: str = "*.json") -> Reading[T]:
    """Read the files of a folder, past those that are damaged; hidden files are nobody's."""
    reading: Reading[T] = Reading([], [])
    for path in sorted(folder.glob(pattern)):
        if path.name.startswith("."):
            continue
        try:
            reading.records.append(read(path))
        except UserError as error:
            reading.damaged.append((path, str(error)))
    return reading


def _finite(value: Any) -> Any:
    """Replace what JSON cannot hold by None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
