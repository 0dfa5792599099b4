"""Extras: which are installed, and what each is for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata

from scribblebench.doctor.finding import Asked, Finding
from scribblebench.doctor.packages import NAME, lack, requirements

# The package's metadata name the extras, but not what they are for.
PURPOSES = {
    "boxes": "grabCut, for methods that learn from boxes",
    "browser": "the tests of the page in a browser",
    "croissant": "the tests of variants' Croissant metadata",
    "dev": "tests and checks of the program itself",
    "docs": "the docs site, and the notebook's test",
    "export": "networks as ONNX: scribblebench export",
    "slurm": "cells as tasks of Slurm: run --executor slurm",
    "tensorboard": "the curves of records: scribblebench tensorboard",
}


def extras(asked: Asked) -> Iterator[Finding]:
    """Tell of each extra whether it is installed; none is needed by all."""
    del asked
    try:
        names = metadata.metadata(NAME).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return  # told among the packages
    yield from map(_of, sorted(names))


def _of(name: str) -> Finding:
    about, purpose = f"extra {name}", PURPOSES.get(name, "not described")
    wanted, install = requirements(name), f"To have it: pip install '{NAME}[{name}]'"
    lacking = [told for told in map(lack, wanted) if told]
    if not lacking:
        return Finding("ok", about, f"installed ({purpose})")
    if len(lacking) == len(wanted) and all(told.endswith("is not installed") for told in lacking):
        return Finding("ok", about, f"not installed ({purpose})", install)
    return Finding("warning", about, f"in part ({purpose}): {'; '.join(lacking)}", install)
