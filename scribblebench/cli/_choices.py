"""Options of the command line made from structs: a registered part brings its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click
import msgspec

from scribblebench.core.errors import UserError


def rates(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[float, ...] | None:
    """Read one rate, or several with commas between them.

    Raises:
        UserError: not numbers in [0, 1].
    """
    del context
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = (float("nan"),)
    if not all(0 <= value <= 1 for value in values):
        raise UserError(f"{parameter.opts[0]} {text}: give a rate from 0 to 1, or several: 0.1,0.2,0.3.")
    return tuple(dict.fromkeys(values))


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
