"""Writes ``docs/cards/*.md``, one page a kind of card, from the structs in ``scribblebench/core``.

    python docs/cards.py

What a field means stands in the struct's docstring; the example is a card of ``docs/cards/examples``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from scribblebench.core.card_yaml import read_yaml
from scribblebench.core.cards import nest_options
from scribblebench.core.fields import Field, fields_of, strip, summary
from scribblebench.core.library import KINDS

FOLDER = Path(__file__).resolve().parent / "cards"
EXAMPLES = FOLDER / "examples"
HEADER = """<!-- Made by docs/cards.py from the structs in scribblebench/core; `make docs` writes it anew. -->
# {title}

{summary}

A card is a file `{kind}/NAME.yaml`, in this project or in a folder of your own (`--cards FOLDER`), and its
`name` is that of the file. A field without a default must be given. What is wrong with a card is told
all at once: `scribblebench list {one} NAME`. {begin}

| field | takes | default | example | what it is |
|---|---|---|---|---|
"""
BEGIN = "`scribblebench new {one} NAME` writes one to begin with."
NEW = ("datasets", "methods", "grids")
OPTIONS = """
A mapping of text to anything names a registered part, and the rest are that part's options:
`scribblebench list heads`, `scribblebench list loss gated_crf` and so on show them. `[]` stands for each
item of a list.
"""
NOTHING = "\N{EN DASH}"


def render() -> dict[Path, str]:
    """Return the text of each page."""
    return {FOLDER / f"{kind.removesuffix('s')}.md": page(kind) for kind in KINDS}


def page(kind: str) -> str:
    """Return the page of one kind of card."""
    struct, one = KINDS[kind], kind.removesuffix("s")
    path = EXAMPLES / kind / "example.yaml"
    header = HEADER.format(
        title=f"The {one} card",
        summary=summary(struct),
        kind=kind,
        one=one,
        begin=BEGIN.format(one=one) if kind in NEW else "",
    )
    table = "\n".join(
        _row(name, field, given) for name, field, given in rows(struct, nest_options(read_yaml(path)))
    )
    whole = f"\n## All fields in one card\n\n```yaml\n{path.read_text(encoding='utf-8')}```\n"
    return header.replace(" \n", "\n") + table + "\n" + OPTIONS + whole


def rows(
    struct: type[msgspec.Struct], given: Any, front: str = "", seen: tuple[Any, ...] = ()
) -> Iterator[tuple[str, Field, Any]]:
    """List a struct's fields and those of the structs in it, once each, with its value in an example.

    Args:
        struct: the card.
        given: the example's mapping.
        front: the dotted name of the struct's own place.
        seen: structs whose fields are listed already.
    """
    known = [*seen, *(_struct_in(field.hint) for field in fields_of(struct).values())]
    for name, field in fields_of(struct).items():
        value = given.get(name) if isinstance(given, dict) else None
        yield f"{front}{name}", field, value
        inner = _struct_in(field.hint)
        if inner is not None and inner not in seen:
            items = isinstance(value, list)
            merged: dict[str, Any] = {}
            for item in reversed(value if isinstance(value, list) else [value or {}]):
                merged |= item
            yield from rows(inner, merged, f"{front}{name}{'[]' if items else ''}.", tuple(known))


def _struct_in(hint: Any) -> type[msgspec.Struct] | None:
    bare = strip(hint)
    inner = strip(get_args(bare)[0]) if get_origin(bare) is tuple else bare
    return inner if isinstance(inner, type) and issubclass(inner, msgspec.Struct) else None


def _row(name: str, field: Field, given: Any) -> str:
    takes, default = field.holds, field.default
    if inner := _struct_in(field.hint):
        takes = (
            "list of mappings, see below" if get_origin(strip(field.hint)) is tuple else "mapping, see below"
        )
        default = default if len(default) < 50 else f"those of {inner.__name__.lower()}"
    shown = f"`{msgspec.json.encode(given).decode()}`".replace('"', "")
    shown = "below" if inner else NOTHING if given is None else shown
    needed = "**must be given**" if field.required else f"`{default}`" if default else "none"
    cells = (f"`{name}`", takes, needed, shown, field.text)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    for path, text in render().items():
        path.write_text(text, encoding="utf-8")
