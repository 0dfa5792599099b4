"""What ``list`` tells of cards and parts, as plain data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from scribblebench.cli._parts import PARTS, registry_of, singular
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.core.fields import fields_of, summary
from scribblebench.core.library import KINDS, Library, as_data

# Of a protocol's fields, not registered: which field of which card takes them.
CHOICES = {"optimizers": "protocol's optimizer.part", "schedules": "protocol's schedule"}


class Line(NamedTuple):
    """A name, what it is, and what is wrong with it, if anything."""

    name: str
    title: str
    error: str = ""


def kinds() -> dict[str, str]:
    """Every word for a kind -> the word for several: ``method`` and ``methods`` -> ``methods``."""
    every = (*KINDS, *PARTS, *CHOICES)
    return {word: kind for kind in every for word in (kind, singular(kind))}


def names(library: Library, kind: str) -> list[str]:
    """List the names of a kind of card or part, without reading any."""
    if kind in KINDS:
        return library.names(kind)
    return _choices(kind) if kind in CHOICES else registry_of(kind).names()


def lines(library: Library, kind: str) -> Iterator[Line]:
    """Tell of each of a kind what it is."""
    for name in names(library, kind):
        if kind in CHOICES:
            yield Line(name, f"a {CHOICES[kind]}")
            continue
        try:
            title = library.card(kind, name).title if kind in KINDS else summary(registry_of(kind).get(name))
            yield Line(name, title)
        except UserError as error:
            yield Line(name, "(cannot be used, see below)", str(error))


def details(library: Library, kind: str, name: str) -> dict[str, Any]:
    """Tell all that a card holds, defaults included, or the options of a part.

    Raises:
        UserError: no such card or part, or one that cannot be used.
    """
    if kind in KINDS:
        card = library.card(kind, name)
        return {"kind": singular(kind), "file": str(library.path(kind, name)), "fields": as_data(card)}
    if kind in CHOICES:
        if name not in _choices(kind):
            raise UnknownNameError(singular(kind), name, _choices(kind))
        from scribblebench.core.cards import Optimizer

        options = _options(Optimizer) if kind == "optimizers" else []
        return {"kind": singular(kind), "name": name, "options": options}
    part = registry_of(kind).get(name)
    module = part.__module__.replace(".", "/")
    return {
        "kind": singular(kind),
        "name": name,
        "is": summary(part),
        "file": str(Path(f"{module}.py")),
        "options": _options(part),
    }


def _options(struct: type[Any]) -> list[dict[str, Any]]:
    return [
        {"name": f.name, "takes": f.holds, "default": f.default, "required": f.required, "text": f.text}
        for f in fields_of(struct).values()
    ]


def _choices(kind: str) -> list[str]:
    from scribblebench.core.cards import Optimizer, ProtocolCard

    chosen: dict[str, tuple[type[Struct], str]] = {
        "optimizers": (Optimizer, "part"),
        "schedules": (ProtocolCard, "schedule"),
    }
    struct, field = chosen[kind]
    return fields_of(struct)[field].holds.split(", ")


def flat(value: Any, front: str = "") -> Iterator[tuple[str, Any]]:
    """Lay out nested data as dotted names, as ``--set`` takes them.

    >>> list(flat({"a": {"b": 1}, "c": [{"d": 2}], "e": [1, 2]}))
    [('a.b', 1), ('c[0].d', 2), ('e', [1, 2])]
    """
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flat(item, f"{front}.{key}" if front else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from flat(item, f"{front}[{index}]")
    else:
        yield front, value
