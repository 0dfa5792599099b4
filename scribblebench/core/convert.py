"""From plain data to a struct; where that cannot be, everything that is wrong, a line each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from scribblebench.core.errors import UserError, several
from scribblebench.core.fields import fields_of, holds, strip

S = TypeVar("S", bound=msgspec.Struct)


def convert(
    raw: Any, kind: type[S], where: str, *, besides: Sequence[str] = (), near: Sequence[str] = ()
) -> S:
    """Check a decoded mapping against a struct.

    Args:
        raw: what was read.
        kind: what it should be.
        where: what it was read from, for the message.
        besides: what is known to be wrong with it already.
        near: names that stand beside these fields where people write them; one may have been meant.

    Raises:
        UserError: fields are missing, unknown, of another type or out of range; all are named, a line each.
    """
    try:
        made = msgspec.convert(raw, kind)
    except (msgspec.ValidationError, ValueError, UserError) as error:
        found = [*faults(raw, kind, near), *besides] or [str(error)]
    else:
        found = list(besides)
        if not found:
            return made
    lines = [fault if fault[-1] in ".?" else f"{fault}." for fault in dict.fromkeys(found)]
    if len(lines) == 1:
        raise UserError(f"{where}: {lines[0]}")
    raise UserError(several(lines, f"{where}: {len(lines)} errors"))


def faults(raw: Any, kind: Any, near: Sequence[str] = ()) -> list[str]:
    """List what is wrong with a decoded value; arguments as in :func:`convert`.

    >>> from scribblebench.core.cards import Augmentation
    >>> for fault in faults({"rotaton": 5, "flip_odds": 2, "labels": "nearst"}, Augmentation):
    ...     print(fault)
    rotaton: no such field. Did you mean 'rotation'?
    flip_odds: 2 does not fit. It takes: number from 0 to 1
    labels: 'nearst' is not one of nearest, footprint. Did you mean 'nearest'?
    """
    return list(_look(raw, kind, "", near))


def _look(value: Any, hint: Any, place: str, near: Sequence[str] = ()) -> Iterator[str]:
    bare = strip(hint)
    inside: list[str] = []
    if isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        inside = list(_look_at_struct(value, bare, place, near)) if isinstance(value, dict) else []
    elif get_origin(bare) is tuple and isinstance(value, list | tuple):
        inside = list(_look_at_items(value, get_args(bare), place))
    elif get_origin(bare) is dict and isinstance(value, dict):
        inside = [f for key, item in value.items() for f in _look(item, get_args(bare)[1], f"{place}.{key}")]
    yield from inside
    if not inside and (fault := _fault(value, hint, place)):
        yield from fault


def _look_at_struct(
    value: dict[Any, Any], struct: type[msgspec.Struct], place: str, near: Sequence[str]
) -> Iterator[str]:
    known = fields_of(struct)
    meant = set()
    for name in (name for name in value if name not in known):
        close = difflib.get_close_matches(str(name), [*known, *near], n=1)
        meant.update(close)
        told = f"Did you mean '{close[0]}'?" if close else f"It has: {', '.join(known) or 'none'}"
        yield f"{_join(place, name)}: no such field. {told}"
    for name, field in known.items():
        if name in value:
            yield from _look(value[name], field.hint, _join(place, name))
        elif field.required and name not in meant:
            yield f"{_join(place, name)}: missing. Give it: {field.holds}"


def _look_at_items(value: Sequence[Any], kinds: tuple[Any, ...], place: str) -> Iterator[str]:
    repeated = len(kinds) == 2 and kinds[1] is Ellipsis
    for index, item in enumerate(value):
        if repeated or index < len(kinds):
            yield from _look(item, kinds[0] if repeated else kinds[index], f"{place}[{index}]")


def _fault(value: Any, hint: Any, place: str) -> list[str]:
    """Say what is wrong with a value as a whole, whose own fields and items are as they should be."""
    front = f"{place}: " if place else ""
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValueError):  # what a struct says of its fields together
            return [f"{front}{line}" for line in str(error.__cause__).split("\n")]
        if get_origin(strip(hint)) is Literal:
            words = f"{_shown(value)} is not one of {holds(hint)}"
            close = _nearest(value, [str(one) for one in get_args(strip(hint))])
            return [f"{front}{words}.{close}" if close else f"{front}{words}"]
        return [f"{front}{_shown(value)} does not fit. It takes: {holds(hint)}"]
    except (ValueError, UserError) as error:
        return [f"{front}{error}"]
    return []


def _nearest(name: Any, names: list[str]) -> str:
    close = difflib.get_close_matches(str(name), names, n=1)
    return f" Did you mean '{close[0]}'?" if close else ""


def _join(place: str, name: Any) -> str:
    return f"{place}.{name}" if place else str(name)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
