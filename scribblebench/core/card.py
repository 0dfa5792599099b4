"""What every card has, and the numbers that cards hold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]  # torch and C hold no more
NonNegative = Annotated[float, Meta(ge=0)]
Label = Annotated[int, Meta(ge=0, le=255)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
# Beyond these bounds a protocol asks for what no machine holds and no picture has.
Side = Annotated[int, Meta(ge=1, le=2**14 + 1)]
Threads = Annotated[int, Meta(ge=1, le=1024)]
Zoom = Annotated[float, Meta(ge=0.01, le=100)]


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every card has.

    Attributes:
        name: by which it is found; that of its file. Letters, digits, ``-``, ``_`` and ``.``.
        title: for people: tables and figures show it. One line.
    """

    name: str
    title: str

    def __post_init__(self) -> None:
        """Refuse what no field alone shows to be wrong, all of it at once."""
        if found := list(self.faults()):
            raise ValueError("\n".join(found))

    def faults(self) -> Iterator[str]:
        """Say what is wrong with the card, a line each, the field first."""
        control = any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in self.title)
        if control or not self.title.strip():
            yield f"title: {self.title[:80]!r} is empty, or holds a line end or a control character"
