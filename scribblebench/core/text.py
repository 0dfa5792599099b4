"""Text files as people save them: UTF-8, or with a mark that says what else."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from scribblebench.core.errors import UserError

LINE_ENDS = re.compile("\r\n|\n|\r")

# The longer first: UTF-32 in little endian begins like UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """Read a text file: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

    Raises:
        UserError: the file cannot be read, or is in another encoding; the message names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror or error}.") from error
    mark, encoding = next(((m, e) for m, e in _MARKS if data.startswith(m)), (b"", "utf-8"))
    if not mark and b"\0" in data:
        raise UserError(f"{path} holds zero bytes: UTF-16 without its mark, or no text. Save it as UTF-8.")
    try:
        return data.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        line = len(LINE_ENDS.split(data[: error.start].decode(encoding, "replace")))
        raise UserError(
            f"{path}, line {line}: not {encoding.upper()} (Latin-1?). Save it as UTF-8."
        ) from error
