"""Processes that end with the one that started them, however that one ended."""

from __future__ import annotations

import os
import threading
import time

_EVERY = 1.0
"""Seconds between two looks."""


def end_with(parent: int) -> None:
    """End this process soon after its parent has ended: nobody is left to hear of what it does.

    A process that was killed cannot tell its workers; those that wait for work would wait for ever.

    Args:
        parent: process number, as the parent itself knows it.
    """
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_EVERY)
    os._exit(1)
