"""The kinds of registered parts, by the word for several of them; each kind is imported when asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from scribblebench.core.registry import Registry

PARTS: Mapping[str, str] = {
    "losses": "scribblebench.losses:LOSSES",
    "heads": "scribblebench.nn.heads:HEADS",
    "backbones": "scribblebench.nn.backbones:BACKBONES",
    "degradations": "scribblebench.scribbles.degradations:DEGRADATIONS",
    "inferences": "scribblebench.inference:INFERENCES",
    "refiners": "scribblebench.refine:REFINERS",
    "propagations": "scribblebench.propagation:PROPAGATIONS",
    "readers": "scribblebench.sources.readers:READERS",
    "layouts": "scribblebench.sources.layouts:LAYOUTS",
    "jobs": "scribblebench.grid.jobs:JOBS",
}


def registry_of(kind: str) -> Registry[Any]:
    """Import the registry of a kind of part."""
    module, _, name = PARTS[kind].partition(":")
    registry: Registry[Any] = getattr(importlib.import_module(module), name)
    return registry


def singular(kind: str) -> str:
    """Return the word for one of a kind.

    >>> singular("losses"), singular("heads")
    ('loss', 'head')
    """
    return kind.removesuffix("es") if kind.endswith("sses") else kind.removesuffix("s")
