"""Documents that are made from the program: they are what it would write now, and nothing lacks a test."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from scribblebench.core.library import Library
from scribblebench.nn.heads import HEADS
from scribblebench.propagation import PROPAGATIONS

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def methods() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_methods", DOCS / "methods.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


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
