"""YAML as people expect it: ``on`` is a word, ``3e-4`` is a number (both are not so in YAML 1.1)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from scribblebench.core.errors import UserError


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's truth values and floats."""


_CHANGED = {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:float"}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _CHANGED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.\d*|\.\d+)([eE][-+]?\d+)?$|^[-+]?\d+[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


def parse_yaml(text: str, where: str) -> Any:
    """Decode one YAML document.

    Raises:
        UserError: the text is not YAML; ``where`` names its place.

    >>> parse_yaml("{on: 3e-4, off: true, count: 12, share: 0.5}", "a card")
    {'on': 0.0003, 'off': True, 'count': 12, 'share': 0.5}
    """
    try:
        # A subclass of the safe loader: it makes plain data only.
        return yaml.load(text, Loader=_Loader)  # noqa: S506
    except yaml.YAMLError as error:
        raise UserError(f"{where} is not YAML: {' '.join(str(error).split())}.") from error


def read_yaml(path: Path) -> Any:
    """Decode a YAML file, UTF-8."""
    try:
        return parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read {path}: {error}.") from error
