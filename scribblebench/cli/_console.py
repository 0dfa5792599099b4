"""Output on whatever console there is: characters that it cannot print become their look-alikes."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_HANDLER = "scribblebench.look-alikes"
_LOOK_ALIKES = {
    "\u2020": "+",  # dagger
    "\u2013": "-",
    "\u2014": "-",
    "\u2212": "-",
    "\u00d7": "x",
    "\u2026": "...",
    "\u2022": "*",
}


def look_alike(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks: an error handler of ``codecs``.

    >>> codecs.register_error("doctest", look_alike)
    >>> "3 \u2020 \u2212 \u00e9".encode("ascii", "doctest")
    b'3 + - ?'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_LOOK_ALIKES.get(character, "?") for character in lacking), error.end


def prepare_streams() -> None:
    """Let stdout and stderr print anything on consoles of any encoding, and nothing where they are closed."""
    codecs.register_error(_HANDLER, look_alike)
    # Without this what is meant for stderr would go to stdout, and the next file opened would be either.
    sys.stdout = sys.stdout or _nowhere()
    stderr = sys.stderr or _nowhere()
    own = stderr is sys.__stderr__
    sys.stderr = _patient(stderr) if own and not stderr.isatty() else stderr
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")


class _Patient(io.FileIO):
    """A file that takes nothing any more once its reader has gone, instead of raising."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return super().write(data)


def _patient(stream: TextIO) -> TextIO:
    """Return a stream of progress and notices: a network's training does not end with those who watch it."""
    raw = io.BufferedWriter(_Patient(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(raw, encoding=stream.encoding, errors=stream.errors, line_buffering=True)


def make_console() -> Console:
    """Return a console on stdout that leaves it to the caller what a closed pipe means."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))

    return Plain()


def print_whole(console: Console, table: Table) -> None:
    """Print a table at its least width at which no number is cut, even where the terminal is narrower."""
    from rich.measure import Measurement

    width = console.width
    console.width = max(width, Measurement.get(console, console.options.update(width=1000), table).minimum)
    console.print(table)
    console.width = width
