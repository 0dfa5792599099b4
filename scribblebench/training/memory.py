"""Peak memory of the device a cell runs on."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import torch

_LINUX = Path("/proc/self")


def reset_peak(device: torch.device) -> None:
    """Start counting anew where that can be done: on CUDA and on Linux."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        with contextlib.suppress(OSError):  # a container may forbid it; the count goes on then
            (_LINUX / "clear_refs").write_text("5", encoding="utf-8")


def peak_mb(device: torch.device) -> float:
    """Largest memory so far in MB (2^20 bytes): of the device, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "linux":
        # getrusage would count the parent's peak too, which a process inherits when it is started.
        status = (_LINUX / "status").read_text(encoding="utf-8")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    if sys.platform == "win32":
        return 0.0  # the standard library does not tell it there
    import resource  # there is no such module on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
