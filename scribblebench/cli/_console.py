"""Output on whatever console there is: characters that it cannot print become their look-alikes."""

from __future__ import annotations

import codecs
import io
import sys

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
    """Let stdout and stderr print anything, on consoles of any encoding."""
    codecs.register_error(_HANDLER, look_alike)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)
