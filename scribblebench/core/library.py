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

    Raises:
        UserError: a folder is missing, or one of its cards carries a shipped name.
    """

    def __init__(self, *folders: Path) -> None:
        for folder in folders:
            if not folder.is_dir():
                raise UserError(f"No card folder at {folder}. Give --cards an existing folder.")
        self._paths: dict[str, dict[str, Path]] = {kind: {} for kind in KINDS}
        for folder in (shipped_folder(), *folders):
            for kind in KINDS:
                self._add(kind, visible(folder / kind, "*.yaml"))

    def _add(self, kind: str, paths: list[Path]) -> None:
        for path in paths:
            if path.stem in self._paths[kind]:
                raise UserError(
                    f"{path} has the name of another card, {self._paths[kind][path.stem]}. Rename it."
                )
            self._paths[kind][path.stem] = path

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

    def _load(self, kind: str, name: str, struct: type[C], overrides: dict[str, Any] | None = None) -> C:
        if name not in self._paths[kind]:
            raise UnknownNameError(kind.removesuffix("s"), name, self.names(kind))
        path = self._paths[kind][name]
        raw = read_yaml(path)
        for key, value in (overrides or {}).items():
            _override(raw, key, value)
        card = convert(nest_options(raw), struct, f"{path}{' with --set' if overrides else ''}")
        if card.name != name:
            raise UserError(f"{path}: name '{card.name}' must be the file's own name, '{name}'.")
        return card


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
