"""Losses, one a file; a method card names them."""

from scribblebench.core.registry import Registry
from scribblebench.ops.step import Loss

LOSSES: Registry[Loss] = Registry("loss", __name__, Loss)
