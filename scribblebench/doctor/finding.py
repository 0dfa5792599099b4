"""What a check is asked, and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

Level = Literal["ok", "warning", "wrong"]


class Finding(msgspec.Struct, frozen=True):
    """One thing that a check found.

    Attributes:
        level: ``ok``; ``warning`` where some commands fail or are slow; ``wrong`` where numbers cannot be
            made, or those that there are cannot be used.
        about: what was looked at, in a word or two.
        text: what is so.
        todo: what to do about it; empty where nothing is to be done.
    """

    level: Level
    about: str
    text: str
    todo: str = ""


@dataclass(frozen=True)
class Asked:
    """Where to look.

    Attributes:
        runs: folder of records.
        cards: users' own card folders.
        dataset: the one dataset to look at; empty for all whose cards are in reach.
        data_dir: its folder; None where ``fetch`` puts it.
    """

    runs: Path = Path("results/runs")
    cards: tuple[Path, ...] = ()
    dataset: str = ""
    data_dir: Path | None = None


Check = Callable[[Asked], Iterator[Finding]]
