"""Memory, and the disk under the records."""

from __future__ import annotations

import os
from collections.abc import Iterator

from scribblebench.core.files import free_space
from scribblebench.doctor.finding import Asked, Finding

_GIB = 2**30
# A toy cell peaks at about 0.6 GiB, one of the paper's protocol at several: less than this holds no cell.
_MEMORY = 1 * _GIB
# Weights and state of one DeepLab on a ResNet-101, while the old file stays until the new one is whole.
_DISK = 2 * _GIB


def memory(asked: Asked) -> Iterator[Finding]:
    """Tell the machine's memory, as far as the system does."""
    del asked
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_AVPHYS_PAGES" not in names:
        return
    page = os.sysconf("SC_PAGE_SIZE")
    total, free = os.sysconf("SC_PHYS_PAGES") * page, available(os.sysconf("SC_AVPHYS_PAGES") * page)
    told = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB available"
    if free < _MEMORY:
        yield Finding("warning", "memory", told, "End other programs, or give 'run' fewer --jobs.")
    else:
        yield Finding("ok", "memory", told)


def available(free: int) -> int:
    """Return the bytes that a new process can have; on Linux those of the disk cache, too."""
    try:
        with open("/proc/meminfo", encoding="utf-8") as file:  # noqa: PTH123 - a pseudo file
            said = dict(line.split(":", 1) for line in file)
        return int(said["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return free


def disk(asked: Asked) -> Iterator[Finding]:
    """Tell the room where records and weights are kept."""
    free = free_space(asked.runs)
    told = f"{free / _GIB:.1f} GiB free for {asked.runs}"
    if free < _DISK:
        yield Finding("warning", "disk", told, "Make room ('scribblebench clean' helps), or give --runs.")
    else:
        yield Finding("ok", "disk", told)
