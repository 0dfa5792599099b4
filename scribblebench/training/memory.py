"""Peak memory of the device a cell runs on."""

from __future__ import annotations

import sys

import torch


def reset_peak(device: torch.device) -> None:
    """Start counting anew where the device can (CUDA)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)


def peak_mb(device: torch.device) -> float:
    """Largest memory so far in MB (2^20 bytes): of the device, or of this process on the CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    if sys.platform == "win32":
        return 0.0  # the standard library does not tell it there
    import resource  # there is no such module on Windows

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
