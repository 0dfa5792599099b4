"""YAML as people expect it: ``on`` is a word, ``3e-4`` is a number (both are not so in YAML 1.1).

What no card means is refused with its line: a key twice, a number that is none, and aliases that unfold into
more than a machine holds.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from scribblebench.core.errors import UserError
from scribblebench.core.text import read_text

# Values in a card once its aliases are unfolded; those of the largest data sets have some thousands.
_MOST = 100_000
_MERGE = "tag:yaml.org,2002:merge"


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


def _finite(loader: _Loader, node: yaml.ScalarNode) -> float:
    value = loader.construct_yaml_float(node)
    if not math.isfinite(value):
        raise _fault(node, f"{node.value!r} is no finite number")
    return value


_Loader.add_constructor("tag:yaml.org,2002:float", _finite)


def parse_yaml(text: str, where: str) -> Any:
    """Decode one YAML document.

    Raises:
        UserError: the text is not YAML, or no card could mean it; ``where`` names its place.

    >>> parse_yaml("{on: 3e-4, off: true, count: 12, share: 0.5}", "a card")
    {'on': 0.0003, 'off': True, 'count': 12, 'share': 0.5}
    >>> parse_yaml("{lr: 1, lr: 2}", "a card")
    Traceback (most recent call last):
    scribblebench.core.errors.UserError: a card, line 1: the key 'lr' is there twice.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _weigh(node, {})
        return loader.construct_document(node)
    except _FaultError as error:
        raise UserError(f"{where}, {error}.") from error
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UserError(f"{where} is not YAML: {place}{error.problem}.") from error
    except RecursionError as error:
        raise UserError(f"{where} is nested too deeply.") from error
    # The last four are what PyYAML meets in dates, numbers and truth values that are none.
    except (yaml.YAMLError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise UserError(f"{where} is not YAML: {' '.join(str(error).split())}.") from error


def read_yaml(path: Path) -> Any:
    """Decode a YAML file.

    Raises:
        UserError: it cannot be read, or is not YAML.
    """
    return parse_yaml(read_text(path), str(path))


class _FaultError(Exception):
    """What is wrong, and in which line."""


def _fault(node: yaml.Node, what: str) -> _FaultError:
    return _FaultError(f"line {node.start_mark.line + 1}: {what}")


def _weigh(node: yaml.Node, known: dict[int, int]) -> int:
    """Count the values that a node unfolds into, and look at its keys.

    Args:
        node: of the tree, in which an alias is the very node that it stands for.
        known: what was counted already, by the identity of the node; 0 while it is being counted.
    """
    if id(node) not in known:
        known[id(node)] = 0
        children = node.value if isinstance(node, yaml.SequenceNode) else []
        if isinstance(node, yaml.MappingNode):
            _refuse_repeated(node)
            children = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_weigh(child, known) for child in children)
    weight = known[id(node)]
    if weight == 0:
        raise _fault(node, "it holds itself, by an alias")
    if weight > _MOST:
        raise _fault(node, f"more than {_MOST:,} values, once aliases are unfolded")
    return weight


def _refuse_repeated(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _fault(key, "a list or a mapping cannot be a key")
        if (key.tag, key.value) in seen and key.tag != _MERGE:
            raise _fault(key, f"the key {key.value!r} is there twice")
        seen.add((key.tag, key.value))
