"""Failures of parts that somebody else wrote: where they happened is said, and their traceback is kept."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from pathlib import Path

from scribblebench.core.errors import UserError
from scribblebench.core.files import write_atomic


@contextlib.contextmanager
def inside(what: str) -> Iterator[None]:
    """Note on whatever the block raises in which part it was raised.

    >>> try:
    ...     with inside("the loss 'mine'"):
    ...         {}["logits"]
    ... except KeyError as error:
    ...     described(error)
    "KeyError in the loss 'mine': 'logits'"
    """
    try:
        yield
    except BaseException as error:
        error.add_note(what)
        raise


def described(error: BaseException) -> str:
    """Return an error as one line; one that the user cannot mend carries its type and the part it is from."""
    text = _one_line(error)
    if isinstance(error, UserError):
        return text
    where = "".join(f" in {note}" for note in getattr(error, "__notes__", []))
    return f"{type(error).__name__}{where}: {text}"


def _one_line(error: BaseException) -> str:
    """Return an error's message without what a terminal would obey or a file cannot hold."""
    try:
        text = str(error)
    except Exception:  # somebody else's class may fail at this too
        return "its message cannot be shown"
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def keep_traceback(path: Path, error: BaseException) -> None:
    """Write an error's traceback to a file.

    Raises:
        UserError: the file cannot be written.
    """
    text = "".join(traceback.format_exception(error))
    write_atomic(path, text.encode("utf-8", "backslashreplace"))
