"""Degradations of scribbles, one a file; ``make-dataset`` has one option for each."""

from scribblebench.core.registry import Registry
from scribblebench.scribbles.degradation import Degradation

DEGRADATIONS: Registry[Degradation] = Registry("degradation", __name__, Degradation)
