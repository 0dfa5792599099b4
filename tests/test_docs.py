"""Documents that are made from the program: they are what it would write now, and nothing lacks a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from scribblebench.cli._parts import PARTS, registry_of
from scribblebench.core.card_yaml import read_yaml
from scribblebench.core.cards import nest_options
from scribblebench.core.fields import fields_of
from scribblebench.core.library import KINDS, Library
from scribblebench.nn.heads import HEADS
from scribblebench.propagation import PROPAGATIONS
from scribblebench.training.fits import check_method

DOCS = Path(__file__).parents[1] / "docs"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def methods() -> ModuleType:
    return script("methods")


def test_the_table_of_methods_is_up_to_date(methods: ModuleType) -> None:
    written = (DOCS / "methods.md").read_text(encoding="utf-8")
    assert written == methods.render(), "run 'make docs' and commit docs/methods.md"


def test_its_links_lead_to_files(methods: ModuleType) -> None:
    links = [part.split(")")[0] for part in methods.render().split("](")[1:]]
    assert links
    assert [link for link in links if not (DOCS / link).is_file()] == []


def test_every_part_of_a_method_has_a_test_of_its_numbers(methods: ModuleType) -> None:
    """Beside its contract, which looks at no value."""
    parts = [(registry, name) for registry in methods.KINDS.values() for name in registry.names()]
    assert [name for registry, name in parts if not methods.tests_of(registry, name)] == []


def test_every_shipped_head_and_propagation_has_a_card() -> None:
    cards = [Library().method(name) for name in Library().names("methods")]
    assert {card.network["head"] for card in cards} == set(HEADS.names())
    named = {stage.labels["part"] for card in cards for stage in card.stages if stage.labels}
    assert named == set(PROPAGATIONS.names())


@pytest.fixture(scope="module")
def cards() -> ModuleType:
    return script("cards")


def test_the_pages_of_cards_are_up_to_date(cards: ModuleType) -> None:
    pages = cards.render()
    assert len(pages) == len(KINDS)
    stale = [path.name for path, text in pages.items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run 'make docs' and commit docs/cards"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_a_card_is_described_and_in_the_example(cards: ModuleType, kind: str) -> None:
    Library(cards.EXAMPLES).card(kind, "example")
    given = nest_options(read_yaml(cards.EXAMPLES / kind / "example.yaml"))
    rows = list(cards.rows(KINDS[kind], given))
    assert [name for name, field, _ in rows if not field.text] == []
    assert [name for name, _, value in rows if value is None] == []


def test_the_examples_name_parts_there_are(cards: ModuleType) -> None:
    library = Library(cards.EXAMPLES)
    check_method(library.method("example"), library.protocol("example"))


def test_every_option_of_a_part_is_described() -> None:
    parts = {kind: registry_of(kind) for kind in PARTS}
    fields = [
        (kind, name, field)
        for kind, registry in parts.items()
        for name in registry.names()
        for field in fields_of(registry.get(name)).values()
    ]
    assert len(fields) > 50
    assert [(kind, name, field.name) for kind, name, field in fields if not field.text] == []
