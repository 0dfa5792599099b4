"""A process that runs cells, one after another, as it is handed them."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from multiprocessing.connection import Connection
from types import FrameType
from typing import NamedTuple

from scribblebench.core.errors import NoSpaceError
from scribblebench.core.parent import end_with
from scribblebench.grid.attempt import Ended, Job, attempt
from scribblebench.grid.display import Event
from scribblebench.grid.stopping import StoppedError


class Said(NamedTuple):
    """A line that a process has to say, with the level of ``logging``."""

    level: int
    text: str


Message = Event | Ended | Said | NoSpaceError


class _State:
    """What the signal handler knows."""

    busy = False
    stopping = False


def work(channel: Connection, parent: int, level: int) -> None:
    """Run every job that comes through the channel, and send events and how each ended back.

    Args:
        channel: carries jobs one way and messages the other.
        parent: the process that holds the other end; without it there is nobody to work for.
        level: what is to be said, as ``logging`` numbers it.
    """
    # Ctrl-C and a hang-up reach every process of a terminal; the parent passes them on once, as SIGTERM.
    for name in ("SIGINT", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    logger = logging.getLogger("scribblebench")
    logger.setLevel(level)
    logger.addHandler(_ToParent(channel))
    end_with(parent)
    with contextlib.suppress(EOFError, ConnectionError, StoppedError):
        while True:
            _one(channel)


class _ToParent(logging.Handler):
    """Leaves it to the parent, which knows of bars and log files, to say something."""

    def __init__(self, channel: Connection) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        with contextlib.suppress(OSError):
            self._channel.send(Said(record.levelno, record.getMessage()))


def _one(channel: Connection) -> None:
    job: Job = channel.recv()

    def send(event: Event) -> None:
        try:
            channel.send(event)
        except OSError as error:  # not the cell's fault: the same command carries on with it
            raise StoppedError("its launcher is gone") from error

    _State.busy = True
    try:
        channel.send(attempt(job, send))
    except NoSpaceError as error:
        channel.send(error)
    _State.busy = False
    if _State.stopping:
        raise StoppedError


def _stop(number: int, frame: FrameType | None) -> None:
    if not _State.busy:
        os._exit(0)
    if not _State.stopping:
        _State.stopping = True
        raise StoppedError
