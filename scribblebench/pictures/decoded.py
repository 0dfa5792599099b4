"""What files of decoded photographs are named: hidden, beside the variants of their dataset."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_PREFIX = ".photographs-"


def decoded_file(folder: Path, names: str, contents: str) -> Path:
    """Return the file of some photographs.

    Args:
        folder: of a dataset's variants.
        names: a digest of which photographs they are.
        contents: a digest of what is known of their contents.

    >>> print(decoded_file(Path("data/voc2012"), "ab12", "cd34"))
    data/voc2012/.photographs-ab12-cd34.bin
    """
    return folder / f"{_PREFIX}{names}-{contents}.bin"


def lock_of(file: Path) -> Path:
    """Return the lock of a file of photographs: it stays when their contents change.

    >>> print(lock_of(Path("data/voc2012/.photographs-ab12-cd34.bin")))
    data/voc2012/.photographs-ab12.lock
    """
    return file.with_name(f"{file.name.rpartition('-')[0]}.lock")


def of_the_same(file: Path) -> Iterator[Path]:
    """List the files of the same photographs, whatever their contents were."""
    return file.parent.glob(f"{file.name.rpartition('-')[0]}-*.bin")


def decoded_files(variants: Path) -> Iterator[Path]:
    """List the files below a folder of variants."""
    return variants.glob(f"*/{_PREFIX}*.bin")


def decoded_locks(variants: Path) -> Iterator[Path]:
    """List their locks."""
    return variants.glob(f"*/{_PREFIX}*.lock")
