"""Signals that end a run: one to stop and keep what was done, a second to be gone at once."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType

_WORD = b"Stopped at once. The same command carries on.\n"


class StoppedError(KeyboardInterrupt):
    """This process is to stop, and why; an own part that raises KeyboardInterrupt is something else."""

    def __init__(self, why: str = "stopped by a signal") -> None:
        super().__init__(why)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise ``StoppedError`` in the block; a second one ends the process.

    A signal that was ignored before (``nohup``) stays ignored. Once stopped, the handlers stay: nothing that
    comes after may be interrupted half-way with a traceback.
    """
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        if stopped:
            os.write(2, _WORD)
            os._exit(130)
        stopped = True
        raise StoppedError

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    handled = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in handled:
        signal.signal(number, stop)
    try:
        yield
    finally:
        if not stopped:
            for number in handled:
                signal.signal(number, before[number])
