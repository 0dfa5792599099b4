"""Writes ``docs/methods.md`` from the method cards, the parts' docstrings and the tests.

    python docs/methods.py

Which tests check a part is read from the tests: the files that import it, and those of the functions that it
imports. What they check it against stands in their first line.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from scribblebench.core.cards import LossTerm, MethodCard
from scribblebench.core.library import Library
from scribblebench.core.registry import Registry
from scribblebench.losses import LOSSES
from scribblebench.nn.heads import HEADS
from scribblebench.propagation import PROPAGATIONS

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docs" / "methods.md"
# Where numbers are tested; elsewhere parts are only used.
ROOMS = ("losses", "ops", "nn", "propagation")
# What many parts use in passing says nothing of any.
TOOLS = frozenset({"scribblebench.ops.cells"})
KINDS: dict[str, Registry[Any]] = {"Losses": LOSSES, "Heads": HEADS, "Propagations": PROPAGATIONS}
HEADER = """<!-- Made by docs/methods.py from methods/*.yaml; `make docs` writes it anew. -->
# Methods

Every method is a card of `methods/` over registered parts. "Exact" and "stand-in" are the cards' own words.
No card changes backbone, initial weights, optimiser, budget or augmentation: those are the protocol's, and
equal for all. What the losses between pixels compute in more than a line: [pixel-losses.md](pixel-losses.md);
how strokes are spread: [label-propagation.md](label-propagation.md);
how label maps are made of tags: [image-tags.md](image-tags.md).
How to add a method: [adding-a-method.md](adding-a-method.md).
"""
PARTS = """
## Parts

Every part is under a contract. A [loss](../tests/losses/test_contract.py) has finite values and gradients,
those of finite differences in float64 where it has no target made without gradient. A
[head](../tests/nn/test_heads.py) gives logits, and a gradient to each of its parameters. A
[propagation](../tests/propagation/test_contract.py) keeps strokes and draws nothing. Every
[card](../tests/training/test_method_cards.py) takes a training step in which all of its losses act. Below is
what the numbers are checked against besides.
"""
NOTHING = "\N{EN DASH}"


def render() -> str:
    """Return the text of ``docs/methods.md``."""
    library = Library()
    compared = library.grid("comparison").methods
    others = [name for name in library.names("methods") if name not in compared]
    sections = [
        HEADER,
        "## Compared methods\n\nThe grid `comparison`: Table 2 and later.",
        _table(
            ("card", "method", "labels", "network", "losses", "exact, and stand-ins"),
            (_method(library.method(name)) for name in compared),
        ),
        "## Variants and controls\n\nOf the paper's Table 1, and what stands beside it.",
        _table(
            ("card", "title", "network", "losses", "note"),
            (_variant(library.method(name)) for name in others),
        ),
        PARTS,
        *(part for kind, registry in KINDS.items() for part in _parts(kind, registry)),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _method(card: MethodCard) -> tuple[str, ...]:
    paper = f"{card.title}<br>{card.paper.title} ({card.paper.year})"
    return (_card(card), paper, _labels(card), _network(card), _losses(card), card.note or NOTHING)


def _variant(card: MethodCard) -> tuple[str, ...]:
    return (_card(card), card.title, _network(card), _losses(card), card.note or NOTHING)


def _card(card: MethodCard) -> str:
    return f"[{card.name}](../methods/{card.name}.yaml)"


def _labels(card: MethodCard) -> str:
    """Tell where the labels come from, round by round."""
    told = {"masks": "dense masks"}.get(card.supervision, card.supervision)
    if not card.stages:
        return told
    rounds = (f"{100 * s.share:.0f} % {s.labels.get('part', told)}" for s in card.stages)
    return ", then ".join(rounds)


def _network(card: MethodCard) -> str:
    return _spelt(card.network["head"], {k: v for k, v in card.network.items() if k != "head"})


def _losses(card: MethodCard) -> str:
    """List the losses, and behind them those of a stage that has its own."""
    lines = [_term(term) for term in card.losses]
    for number, stage in enumerate(card.stages, start=1):
        lines += [f"stage {number}: {_term(term)}" for term in stage.losses]
    return "<br>".join(lines)


def _term(term: LossTerm) -> str:
    return _spelt(term.part, _acting(term) | term.options)


def _acting(term: LossTerm) -> dict[str, float]:
    """Return when and how strongly a loss acts, where that is not the default."""
    given = {"weight": term.weight, "from": term.starts, "ramp": term.ramp}
    return {key: value for key, value in given.items() if value != {"weight": 1.0}.get(key, 0.0)}


def _spelt(name: str, options: dict[str, Any]) -> str:
    spelt = ", ".join(f"{key}: {json.dumps(value)}" for key, value in options.items())
    return f"`{name}`" + (f" ({spelt})".replace('"', "") if spelt else "")


def _parts(kind: str, registry: Registry[Any]) -> list[str]:
    rows = [
        (
            _link(name, _file(registry, name)),
            _first_paragraph(registry.get(name).__doc__ or ""),
            "<br>".join(f"{_link(path.name, path)}: {says}" for path, says in tests_of(registry, name)),
        )
        for name in registry.names()
    ]
    return [f"### {kind}", _table(("part", "what it is", "tested"), rows)]


def tests_of(registry: Registry[Any], name: str) -> list[tuple[Path, str]]:
    """List the tests of a part's numbers, with what they say that they check them against.

    Args:
        registry: the part's kind.
        name: the part.
    """
    module = f"{registry.package}.{name}"
    below = {m for m in _imports(_file(registry, name)) if m.startswith("scribblebench.")} - TOOLS
    found = []
    for path in sorted(p for room in ROOMS for p in (ROOT / "tests" / room).glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        says = _first_paragraph(ast.get_docstring(ast.parse(text)) or "")
        own = module in _imports(path) or f'network("{name}"' in text
        borrowed = any(path.stem == f"test_{m.rsplit('.', 1)[-1]}" for m in below & _imports(path))
        if says and (own or borrowed):
            found.append((path, says))
    return found


@cache
def _imports(path: Path) -> frozenset[str]:
    """The modules that a file imports names from."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return frozenset(node.module for node in nodes if node.module)


def _link(text: str, path: Path) -> str:
    return f"[{text}](../{path.relative_to(ROOT).as_posix()})"


def _file(registry: Registry[Any], name: str) -> Path:
    return Path(inspect.getfile(registry.get(name))).resolve()


def _first_paragraph(docstring: str) -> str:
    """Return the first paragraph on one line, without the marks of code."""
    return " ".join(inspect.cleandoc(docstring).split("\n\n")[0].split()).replace("``", "`")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
