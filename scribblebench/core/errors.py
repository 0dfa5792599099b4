"""Errors that a user can mend: one line each, exit code 2."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class UserError(Exception):
    """Something the user gave is wrong. The message says what, where, and what to do."""


class NoSpaceError(UserError):
    """The disk or the quota is full: whatever is begun next would fail too."""


class UnknownNameError(UserError):
    """A name that no card, part or option carries.

    >>> print(UnknownNameError("method", "rwss", ["baseline", "rw", "rw-ss"]))
    Unknown method 'rwss'. Did you mean 'rw-ss'? Available: baseline, rw, rw-ss.
    """

    def __init__(self, kind: str, name: str, available: Iterable[str]) -> None:
        names = list(available)
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean '{close[0]}'?" if close else ""
        super().__init__(f"Unknown {kind} '{name}'.{hint} Available: {', '.join(names)}.")


def first_ten(items: Iterable[str]) -> str:
    """Join the first ten items and count the rest, for messages about many files.

    >>> first_ten(str(i) for i in range(12))
    '0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more'
    """
    names = list(items)
    rest = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + rest


def several(errors: Sequence[str], heading: str) -> str:
    """Put the first ten of several errors under a heading; a single one stands alone.

    >>> several(["a.png is missing."], "1 of 2 images cannot be used")
    'a.png is missing.'
    >>> print(several(["a.png is missing.", "b.png is missing."], "2 of 2 images cannot be used"))
    2 of 2 images cannot be used:
      a.png is missing.
      b.png is missing.
    """
    errors = list(dict.fromkeys(errors))  # a file that all need is at fault once
    if len(errors) == 1:
        return errors[0]
    rest = [f"... and {len(errors) - 10} more"] if len(errors) > 10 else []
    return "\n  ".join((f"{heading}:", *errors[:10], *rest))
