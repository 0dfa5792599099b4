"""CUDA devices, as torch sees them."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from typing import Any

from scribblebench.doctor.finding import Asked, Finding

_ABOUT = "CUDA"
# Ampere's: earlier cards have no arithmetic of bfloat16.
_BF16 = (8, 0)


def cuda(asked: Asked) -> Iterator[Finding]:
    """Tell each device and its memory, or why there is none."""
    del asked
    try:
        import torch
    except (ImportError, OSError, RuntimeError):
        return  # told of torch itself
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        there = torch.cuda.is_available()
    if there:
        yield from _devices(torch)
    else:
        yield _without(torch, [" ".join(str(one.message).split()) for one in said])


def _without(torch: Any, said: list[str]) -> Finding:
    if said:
        return Finding("warning", _ABOUT, f"cannot be used: {said[0]}", "Cells run on the CPU.")
    # The driver's own tool is there where a card is.
    if torch.version.cuda is None and shutil.which("nvidia-smi"):
        told = f"this machine seems to have a card, but torch {torch.__version__} is built without CUDA"
        return Finding("warning", _ABOUT, told, "Install the CUDA builds of torch and torchvision.")
    return Finding("ok", _ABOUT, "no device; cells run on the CPU")


def _devices(torch: Any) -> Iterator[Finding]:
    for index in range(torch.cuda.device_count()):
        try:
            free, total = torch.cuda.mem_get_info(index)
        except RuntimeError as error:  # another process has it to itself, or it fell off the bus
            told = f"cuda:{index} cannot be used: {' '.join(str(error).split())}"
            yield Finding("warning", _ABOUT, told, "See nvidia-smi for what holds it.")
            continue
        name = torch.cuda.get_device_name(index)
        yield Finding("ok", _ABOUT, f"cuda:{index} {name}, {_gib(free)} of {_gib(total)} free")
        if torch.cuda.get_device_capability(index) < _BF16:
            told = f"cuda:{index} has no bfloat16 of its own: protocols with precision: bf16 are slow on it"
            yield Finding("warning", _ABOUT, told, "Give run --set precision=float32.")


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
