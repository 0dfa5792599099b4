"""Where a number comes from: versions, device, commit, command."""

from __future__ import annotations

import functools
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch

from scribblebench import __version__
from scribblebench.core.errors import UserError


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what decides a result."""
    packages = ("torch", "torchvision", "numpy", "scikit-image", "pillow")
    return {
        "scribblebench": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


@functools.cache
def commit() -> str:
    """Commit of the checkout this runs from, ``+`` behind it where files differ; empty elsewhere."""
    folder = Path(__file__).parent
    git = ["git", "-C", str(folder)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)  # noqa: S603 - fixed words
        changed = subprocess.run([*git, "status", "--porcelain", "--", "."], capture_output=True, text=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.stdout.strip() else "")


def command() -> str:
    """The command line, with the program's own name in front; bytes that are no text are written out."""
    words = " ".join(["scribblebench", *sys.argv[1:]])
    return words.encode("utf-8", "backslashreplace").decode("utf-8")


def device_name(device: torch.device, threads: int) -> str:
    """What the device calls itself, and how many threads compute on it where it is the CPU."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.processor() or platform.machine()} CPU, {threads} threads"


def pick_device(name: str) -> torch.device:
    """Turn ``auto``, ``cpu``, ``cuda`` or ``cuda:1`` into a device that is there.

    Raises:
        UserError: the device does not exist here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UserError(f"--device {name}: no such device. Give auto, cpu, cuda or cuda:N.") from error
    available = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type not in ("cpu", "cuda") or (device.index or 0) >= available:
        raise UserError(f"--device {name}: this machine has no such device. Give --device cpu.")
    return device
