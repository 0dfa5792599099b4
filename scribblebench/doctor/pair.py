"""torch and torchvision: whether they are of one release and one build, and can be imported."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import Requirement
from packaging.version import Version

from scribblebench.doctor.finding import Asked, Finding

_ABOUT = "torch"
_MEND = "Install both anew, from one index: pip install --force-reinstall torch torchvision"
# torchvision.ops registers compiled operators: it fails where they were built for another torch.
_MODULES = ("torch", "torchvision.ops")


def pair(asked: Asked) -> Iterator[Finding]:
    """Tell whether torch and torchvision fit each other."""
    del asked
    try:
        torch, vision = metadata.version("torch"), metadata.version("torchvision")
    except metadata.PackageNotFoundError:
        return  # told among the packages
    faults = [
        told for told in (_other_release(torch, vision), _other_build(torch, vision), _import()) if told
    ]
    for told in faults:
        yield Finding("wrong", _ABOUT, told, _MEND)
    if not faults:
        yield Finding("ok", _ABOUT, f"torch {torch} and torchvision {vision} fit each other")


def _other_release(torch: str, vision: str) -> str:
    """Torchvision's own metadata say for which torch it was built."""
    for requirement in map(Requirement, metadata.requires("torchvision") or ()):
        if requirement.name == "torch" and not requirement.specifier.contains(torch, prereleases=True):
            return f"torchvision {vision} requires torch {requirement.specifier}, but torch is {torch}"
    return ""


def _other_build(torch: str, vision: str) -> str:
    """Wheels of PyTorch's own index name their build, such as ``+cpu``; those of PyPI do not."""
    builds = Version(torch).local, Version(vision).local
    if None in builds or builds[0] == builds[1]:
        return ""
    return f"torch {torch} and torchvision {vision} are of different builds"


def _import() -> str:
    for module in _MODULES:
        try:
            importlib.import_module(module)
        except (ImportError, RuntimeError, OSError) as error:  # missing libraries, operators of another torch
            return f"{module} cannot be imported: {' '.join(str(error).split())}"
    return ""
