"""Work on several items at once, each on a core of its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

import torch

Item = TypeVar("Item")


def each_on_a_core(act: Callable[[Item], object], items: Iterable[Item]) -> None:
    """Do something with each item, on as many cores as torch has threads here.

    Operations of a tenth of a millisecond gain little from two threads; whole items gain all there is.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        deque(map(act, items), maxlen=0)
    else:
        deque(_pool(threads).map(act, items), maxlen=0)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    # torch counts threads for each thread that calls it.
    return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
