"""Random initial weights: fixed by a name and a seed, and nobody else's generator is touched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch

from scribblebench.core.seeds import integer_seed


@contextlib.contextmanager
def seeded(name: str, seed: int) -> Iterator[None]:
    """Draw the initial weights made inside the block from their own sequence.

    Networks are made on the CPU, so only its generator is seeded, and put back behind the block
    (``torch.manual_seed`` would reseed every CUDA device too).
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(integer_seed(name, seed))
        yield
