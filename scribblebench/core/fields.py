"""What the fields of a card or a part are called, hold and mean: for error messages, pages and lists."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import msgspec.inspect as mi


@dataclass(frozen=True)
class Field:
    """One field of a struct.

    Attributes:
        name: as it is written in YAML.
        hint: its Python type.
        holds: what values it takes, in words, with the range.
        default: as it is written in YAML, or empty where the field must be given.
        required: whether it must be given.
        text: what it means; empty where the struct's docstring has no line for it.
    """

    name: str
    hint: Any
    holds: str
    default: str
    required: bool
    text: str


def fields_of(struct: type[msgspec.Struct]) -> dict[str, Field]:
    """Describe a struct's fields, by the names that they have in YAML.

    >>> from scribblebench.core.cards import LossTerm
    >>> weight = fields_of(LossTerm)["weight"]
    >>> weight.holds, weight.default, weight.text
    ('number from 0', '1.0', 'its factor in the sum.')
    """
    hints, lines = get_type_hints(struct, include_extras=True), _lines(struct)
    return {
        field.encode_name: Field(
            field.encode_name,
            hints[field.name],
            holds(hints[field.name]),
            _default(field),
            field.required,
            _meta_text(hints[field.name]) or lines.get(field.name, ""),
        )
        for field in msgspec.structs.fields(struct)
    }


def holds(hint: Any) -> str:
    """Say in words which values a type takes.

    >>> holds(tuple[int, ...]), holds(dict[str, float] | None)
    ('list of whole numbers', 'mapping of text to number, or null')
    """
    if get_origin(strip(hint)) is Literal:
        return ", ".join(str(value) for value in get_args(strip(hint)))  # as they were written
    return _said(mi.type_info(hint))


def summary(struct: type) -> str:
    """Return the first paragraph of a class's own docstring on one line."""
    return " ".join(inspect.cleandoc(struct.__doc__ or "").split("\n\n")[0].split()).replace("``", "`")


def strip(hint: Any) -> Any:
    """Return a type without its bounds."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return ""
    made = field.default_factory is not msgspec.NODEFAULT
    value = msgspec.to_builtins(field.default_factory() if made else field.default)
    return value if isinstance(value, str) and value else json.dumps(value)


def _meta_text(hint: Any) -> str:
    metas = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
    return next((m.description for m in metas if isinstance(m, msgspec.Meta) and m.description), "")


def _lines(struct: type) -> dict[str, str]:
    """Read the ``Attributes`` of a class's docstring and of those that it is derived from."""
    found: dict[str, str] = {}
    for kind in reversed(struct.__mro__):
        section = re.search(r"^Attributes:\n((?:[ ]+.*\n?|\n)+)", inspect.cleandoc(kind.__doc__ or ""), re.M)
        for name, text in re.findall(
            r"^ {4}(\w+): ((?:.+\n?|\n)(?: {8}.*\n?)*)", section[1] if section else "", re.M
        ):
            found[name] = " ".join(text.split()).replace("``", "`")
    return found


def _bounds(kind: Any) -> str:
    """Say the range of a number.

    >>> holds(Annotated[float, msgspec.Meta(ge=0, lt=1)]), holds(Annotated[int, msgspec.Meta(gt=0)])
    ('number from 0 to below 1', 'whole number above 0')
    """
    low = (
        f" from {kind.ge:g}" if kind.ge is not None else f" above {kind.gt:g}" if kind.gt is not None else ""
    )
    high = f" to {kind.le:.12g}" if kind.le is not None else ""
    below = f"{' to' if low else ''} below {kind.lt:g}" if kind.lt is not None else ""
    return low + high + below


def _text(kind: mi.StrType) -> str:
    return "text" if kind.pattern is None else f"text that matches {kind.pattern}"


def _several(kind: Any) -> str:
    """Say what a list holds: the first word of a number or a text in the plural."""
    item = _said(kind.item_type)
    for one in ("whole number", "number", "text"):
        if item.startswith(one):
            item = f"{one}s{item.removeprefix(one)}"
            break
    return f"list of {item}" + (f", {kind.min_length} or more" if kind.min_length else "")


def _struct(kind: mi.StructType) -> str:
    return "mapping of " + ", ".join(field.encode_name for field in kind.fields)


_WORDS: Mapping[type, Callable[[Any], str]] = {
    mi.IntType: lambda kind: f"whole number{_bounds(kind)}",
    mi.FloatType: lambda kind: f"number{_bounds(kind)}",
    mi.BoolType: lambda kind: "true or false",
    mi.StrType: _text,
    mi.LiteralType: lambda kind: ", ".join(str(value) for value in kind.values),
    mi.NoneType: lambda kind: "null",
    mi.AnyType: lambda kind: "anything",
    mi.VarTupleType: _several,
    mi.ListType: _several,
    mi.TupleType: lambda kind: "list of " + " and ".join(_said(item) for item in kind.item_types),
    mi.DictType: lambda kind: f"mapping of {_said(kind.key_type)} to {_said(kind.value_type)}",
    mi.StructType: _struct,
    mi.UnionType: lambda kind: ", or ".join(_said(one) for one in kind.types),
}


def _said(kind: mi.Type) -> str:
    if isinstance(kind, mi.Metadata):
        return _said(kind.type)
    return _WORDS[type(kind)](kind)
