"""Options of the command line made from registered parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec

from scribblebench.sources.readers import READERS

strokes_option = click.option(
    "--from",
    "strokes",
    type=click.Choice(READERS.names()),
    help="Where strokes come from. [default: the first of xml, png, clicks, masks that is there]",
)


def options_of(struct: type[msgspec.Struct], belongs_to: str) -> Callable[[Any], Any]:
    """Return a decorator that gives a command one option for each field of a struct.

    An option that is not given has the value None; its help is the field's description.

    Args:
        struct: each field is ``Annotated`` with a ``Meta`` that has a description.
        belongs_to: shown in the help, such as ``--drop``.
    """
    hints = get_type_hints(struct, include_extras=True)

    def decorate(command: Any) -> Any:
        for field in reversed(msgspec.structs.fields(struct)):
            kind, text = _unwrap(hints[field.name])
            shown = f"{field.default:g}" if isinstance(field.default, float) else field.default
            command = click.option(
                f"--{field.name.replace('_', '-')}",
                field.name,
                type=kind,
                help=f"{text} [{belongs_to}; default: {shown}]",
            )(command)
        return command

    return decorate


def _unwrap(hint: Any) -> tuple[Any, str]:
    text = ""
    if get_origin(hint) is Annotated:
        hint, *metas = get_args(hint)
        text = next((m.description for m in metas if isinstance(m, msgspec.Meta) and m.description), "")
    if get_origin(hint) is Literal:
        values = get_args(hint)
        return (
            click.Choice([str(v) for v in values]) if isinstance(values[0], str) else _whole(values)
        ), text
    return hint, text


def _whole(values: tuple[int, ...]) -> click.IntRange:
    return click.IntRange(min(values), max(values))
