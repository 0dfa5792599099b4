"""What a number's identity holds of cards and parts: all that can change it, and nothing else."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from scribblebench.core.registry import Registry


@functools.cache
def fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """List the fields of a kind of struct; finding them out takes longer than a cell's other business."""
    return msgspec.structs.fields(kind)


def stated(struct: msgspec.Struct) -> dict[str, Any]:
    """Return a struct as plain data, without the fields that equal their defaults.

    So a field that is added with a default leaves earlier results what they were; a default that changes
    must raise the rule of what it belongs to.

    >>> from scribblebench.core.cards import Augmentation, LossTerm
    >>> stated(Augmentation(rotation=5.0)), stated(LossTerm("entropy", weight=1.0))
    ({'rotation': 5.0}, {'part': 'entropy'})
    """
    data: dict[str, Any] = {}
    for field in fields(type(struct)):
        value = getattr(struct, field.name)
        makes_default = field.default_factory is not msgspec.NODEFAULT
        if value != (field.default_factory() if makes_default else field.default):
            data[field.encode_name] = (
                stated(value) if isinstance(value, msgspec.Struct) else msgspec.to_builtins(value)
            )
    return data


def stated_part(registry: Registry[Any], spec: dict[str, Any], key: str, where: str) -> dict[str, Any]:
    """Return a part as a card names it: its name under ``key``, and the options that are not defaults.

    Raises:
        UserError: no such part, or an option that it does not have.
    """
    name = spec.get(key, "")
    options = {k: v for k, v in spec.items() if k != key}
    return {key: name, **stated(registry.build(name, options, where))}


def versions(*parts: tuple[Registry[Any], str]) -> dict[str, int | str]:
    """Return the version of each part, under its kind and name.

    Args:
        parts: registries, each with the name of one of its parts.
    """
    return {f"{registry.kind} {name}": registry.version(name) for registry, name in parts}
