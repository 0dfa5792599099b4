"""Exceptions that no command has put into words of its own: one line each, and the exit code."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import click

from scribblebench.core.errors import UserError
from scribblebench.core.tracebacks import described, keep_traceback

MENDABLE, INTERNAL, INTERRUPTED, CLOSED_PIPE = 2, 70, 130, 141
_MEMORY = "Out of memory. Give a smaller --set batch or crop, or fewer --jobs"
# Families by their full names, so that none of their packages is imported for this.
_FAMILIES = {
    "builtins.MemoryError": _MEMORY,
    "torch.OutOfMemoryError": _MEMORY,
    "builtins.UnicodeError": "Some text is not UTF-8, or cannot be written in the system's encoding",
    "builtins.RecursionError": "Something is nested too deeply to be read",
    "builtins.OverflowError": "A number is too large",
    "builtins.ImportError": "A package is missing or broken",
    "builtins.EOFError": "A file ends too early",
    "PIL.Image.DecompressionBombError": "A picture has too many pixels",
    "PIL.UnidentifiedImageError": "A file is not a picture",
    "zipfile.BadZipFile": "A compressed file is damaged",
    "zlib.error": "A compressed file is damaged",
    "tarfile.TarError": "An archive is damaged",
    "json.decoder.JSONDecodeError": "A file is not JSON",
    "msgspec.DecodeError": "A file is not what it should be",
    "safetensors_rust.SafetensorError": "A file of weights is damaged",
}


def usage(error: click.ClickException) -> str:
    """Say in a line what is wrong with a command line, and where its options are described.

    >>> usage(click.UsageError("Missing option '--grid'."))
    "Error: Missing option '--grid'. See 'scribblebench --help'."
    """
    said = " ".join(error.format_message().split()).removesuffix(".")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "scribblebench"
    return f"Error: {said}. See '{command} --help'."


def answer(error: BaseException) -> tuple[str, int]:
    """Say in a line what went wrong, and return the exit code.

    The traceback of a fault of the program's own is kept in a temporary file.

    >>> answer(UserError("No folder x."))
    ('Error: No folder x.', 2)
    >>> answer(FileNotFoundError(2, "No such file or directory", "x"))
    ('Error: x: No such file or directory. (--debug shows where.)', 2)
    >>> answer(BrokenPipeError(errno.EPIPE, "Broken pipe"))
    ('', 141)
    """
    if isinstance(error, UserError):
        return f"Error: {error}", MENDABLE
    if isinstance(error, click.Abort | KeyboardInterrupt):
        return "Interrupted. The same command carries on.", INTERRUPTED
    if isinstance(error, OSError):
        if error.errno == errno.EPIPE:  # whoever reads the output has seen enough, as 'head' does
            return "", CLOSED_PIPE
        where = f"{error.filename}: " if error.filename else ""
        return f"Error: {where}{error.strerror or described(error)}. (--debug shows where.)", MENDABLE
    if family := _family(error):
        said = " ".join(str(error).split())
        return f"Error: {family}{f': {said}' if said else ''}. (--debug shows where.)", MENDABLE
    return f"Internal error: {described(error)}. This is a fault of scribblebench{_kept(error)}.", INTERNAL


def _family(error: BaseException) -> str:
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    if "builtins.RuntimeError" in names and "allocate memory" in str(error):  # torch on the CPU
        return _MEMORY
    return next((_FAMILIES[name] for name in names if name in _FAMILIES), "")


def _kept(error: BaseException) -> str:
    try:
        path = Path(tempfile.mkdtemp(prefix="scribblebench-")) / "traceback.txt"
        keep_traceback(path, error)
    except (OSError, UserError):
        return ": --debug shows the traceback"
    return f"; its traceback is in {path}"
