"""Whether files are still what they were when they were last read."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# A file that was changed this recently, in nanoseconds, may change again within one tick of its clock.
SETTLED = 2_000_000_000

Stamp = tuple[tuple[int, int, int], ...]
"""Size, time of change and time of renaming of some files, in nanoseconds."""


def stamp(files: Iterable[Path]) -> Stamp:
    """Look at files without reading them; one that is missing has a stamp too.

    The time of renaming (``ctime``) is changed by whoever swaps a file, even where he keeps its date.
    """
    stamps = []
    for path in files:
        try:
            status = path.stat()
        except OSError:
            stamps.append((-1, 0, 0))  # whoever reads it says what is wrong
        else:
            stamps.append((status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return tuple(stamps)


def newest(found: Stamp) -> int:
    """Return the time of the latest change, in nanoseconds since 1970."""
    return max(max(changed, renamed) for _, changed, renamed in found)
