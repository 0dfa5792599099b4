"""Where cards are found: a user's own folders, then the copy in the wheel, then the checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import msgspec

from scribblebench.core.card_yaml import read_yaml
from scribblebench.core.cards import (
    Card,
    DatasetCard,
    GridCard,
    MethodCard,
    ProtocolCard,
    convert,
    nest_options,
)
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.core.files import visible
from scribblebench.core.names import check_name, nfc

C = TypeVar("C", bound=Card)

KINDS: dict[str, type[Card]] = {
    "datasets": DatasetCard,
    "methods": MethodCard,
    "protocols": ProtocolCard,
    "grids": GridCard,
}


def shipped_folder() -> Path:
    """Return the folder whose sub-folders hold the shipped cards and published numbers.

    In a wheel this is ``scribblebench/cards``. In a checkout, editable installs included, that folder
    does not exist beside the sources and the checkout's own top level is used, which cannot go stale.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "cards"
    return inside if inside.is_dir() else package.parent


def published_folder() -> Path:
    """Return the folder of the papers' own numbers (CSV)."""
    shipped = shipped_folder()
    return shipped / "published" if shipped.name == "cards" else shipped / "results" / "published"


class Library:
    """All cards in reach.

    Args:
        folders: users' own card folders, each with any of ``datasets``, ``methods``, ``protocols`` and
            ``grids`` below it.

    Cards are read when they are asked for: a damaged one is in nobody's way but its own, and so are two
    that carry the same name.

    Raises:
        UserError: a folder is missing or holds no folder of cards.
    """

    def __init__(self, *folders: Path) -> None:
        self._paths: dict[str, dict[str, Path]] = {kind: {} for kind in KINDS}
        self._twins: dict[str, dict[str, str]] = {kind: {} for kind in KINDS}
        for folder in (shipped_folder(), *folders):
            for kind in _kinds_in(folder):
                for path in _cards_in(folder / kind):
                    self._add(kind, path)

    def _add(self, kind: str, path: Path) -> None:
        name = _name(path)
        # Names that differ in capitals only are one file on some systems.
        twins = [other for known, other in self._paths[kind].items() if known.casefold() == name.casefold()]
        if twins:
            told = f"{path} has the name of another card, {twins[0]}. Rename it."
            self._twins[kind].setdefault(name.casefold(), told)
        self._paths[kind].setdefault(name, path)

    def names(self, kind: str) -> list[str]:
        """List the names of the cards of one kind."""
        return sorted(self._paths[kind])

    def dataset(self, name: str) -> DatasetCard:
        """Return a dataset card by name."""
        return self._load("datasets", name, DatasetCard)

    def method(self, name: str) -> MethodCard:
        """Return a method card by name."""
        return self._load("methods", name, MethodCard)

    def protocol(self, name: str, overrides: dict[str, Any] | None = None) -> ProtocolCard:
        """Return a protocol card by name, with some of its fields replaced.

        Args:
            name: the card.
            overrides: dotted field -> value, as ``--set`` gives them.
        """
        return self._load("protocols", name, ProtocolCard, overrides)

    def grid(self, name: str) -> GridCard:
        """Return a grid card by name."""
        return self._load("grids", name, GridCard)

    def card(self, kind: str, name: str) -> Card:
        """Return a card of any kind by name."""
        return self._load(kind, name, KINDS[kind])

    def path(self, kind: str, name: str) -> Path:
        """Return the file of a card."""
        return self._paths[kind][name]

    def _load(self, kind: str, name: str, struct: type[C], overrides: dict[str, Any] | None = None) -> C:
        if name not in self._paths[kind]:
            raise UnknownNameError(kind.removesuffix("s"), name, self.names(kind))
        if told := self._twins[kind].get(name.casefold()):
            raise UserError(told)
        path = self._paths[kind][name]
        raw = _fields(path)
        for key, value in (overrides or {}).items():
            _override(raw, key, value)
        called = raw.get("name")
        misnamed = isinstance(called, str) and nfc(called) != name
        besides = [f"name: '{called}' must be the file's own name, '{name}'"] if misnamed else []
        where = f"{path}{' with --set' if overrides else ''}"
        return convert(nest_options(raw), struct, where, besides=besides)


def _kinds_in(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UserError(f"No card folder at {folder}. Give --cards an existing folder.")
    found = [kind for kind in KINDS if (folder / kind).exists()]
    if not found:
        raise UserError(f"{folder} holds none of the folders {', '.join(KINDS)}. Put the cards into those.")
    return found


def _cards_in(folder: Path) -> list[Path]:
    try:
        next(folder.iterdir(), None)  # a pattern matches nothing in a folder that cannot be read
    except OSError as error:
        raise UserError(f"Cannot read the cards in {folder}: {error.strerror or error}.") from error
    return visible(folder, "*.yaml")


def _name(path: Path) -> str:
    """Return a card's name."""
    return nfc(path.stem)


def _fields(path: Path) -> dict[str, Any]:
    """Read a card whose name can be that of a result, and be given to ``--methods``."""
    name = check_name(_name(path), str(path))
    if "," in name or " " in name:
        raise UserError(f"{path}: a card's name holds no comma and no space. Rename it.")
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise UserError(f"{path} is no card: it holds no 'field: value' lines.")
    return raw


def _override(raw: dict[str, Any], key: str, value: Any) -> None:
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(raw.get(parent), dict):
            raise UserError(f"--set {key}: the protocol has no section '{parent}'.")
        raw = raw[parent]
    raw[last] = value


def as_data(card: msgspec.Struct) -> dict[str, Any]:
    """Return a card as plain JSON-like data, every default spelt out: what a result's identity hashes."""
    data: dict[str, Any] = msgspec.to_builtins(card)
    return data
