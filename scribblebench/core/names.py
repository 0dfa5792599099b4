"""Names that become file names: looked at once, where they enter."""

from __future__ import annotations

import re
import unicodedata

from scribblebench.core.errors import UserError

# What a Windows file name cannot hold; the slashes part folders.
_FORBIDDEN = re.compile(r'[<>:"|?*\\/]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
# The usual names pass at once.
_USUAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{3,60}")
_LONGEST = 200


def nfc(text: str) -> str:
    """Write letters with accents as one character each (Unicode's NFC); macOS parts them in file names."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def check_id(name: str, where: str) -> str:
    """Look whether an image's id can be a file's name on every system; folders are parted by ``/``.

    Args:
        name: the id.
        where: where it was met, for the message.

    Returns:
        ``name``.

    Raises:
        UserError: it could lead out of its folder, or some system cannot hold it.

    >>> check_id("aachen/aachen_000", "train.txt")
    'aachen/aachen_000'
    >>> check_id("../x", "train.txt, line 3")
    Traceback (most recent call last):
    scribblebench.core.errors.UserError: train.txt, line 3: '../x' cannot be a name: a part starts with a dot.
    """
    if not _USUAL.fullmatch(name):
        for part in name.split("/"):
            _check(part, name, where)
    return name


def check_name(name: str, where: str) -> str:
    """Look whether a card's or a split's name can be that of a file, in no folder of its own.

    Raises:
        UserError: it cannot.
    """
    _check(name, name, where)
    return name


def _check(part: str, name: str, where: str) -> None:
    fault = _fault(part)
    if fault:
        raise UserError(f"{where}: {name[:80]!r} cannot be a name: {fault}.")


def _fault(part: str) -> str:
    if not part:
        return "it is empty, or has a slash too many"
    if part.startswith("."):
        return "a part starts with a dot"
    if part.endswith(".") or part != part.strip():
        return "it starts with a space, or ends with a space or a dot"
    if forbidden := _FORBIDDEN.search(part):
        return f"some systems cannot hold {forbidden[0]!r}"
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in part):
        return "it holds a control character"
    if _RESERVED.fullmatch(part):
        return f"{part!r} is reserved on Windows"
    return "it is too long" if len(part.encode()) > _LONGEST else ""
