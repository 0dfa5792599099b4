"""BatchNorm's running statistics, and how a pass leaves them alone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn

Norm = nn.modules.batchnorm._BatchNorm


def norms(module: nn.Module) -> list[Norm]:
    """List the BatchNorm layers of a module."""
    return [layer for layer in module.modules() if isinstance(layer, Norm)]


@contextlib.contextmanager
def frozen_statistics(network: nn.Module) -> Iterator[None]:
    """Leave BatchNorm's running statistics alone for a block.

    In training mode batches still normalise themselves.
    """
    tracking = [norm for norm in norms(network) if norm.track_running_stats]
    for norm in tracking:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in tracking:
            norm.track_running_stats = True
