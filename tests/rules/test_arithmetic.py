"""A part's arithmetic may only change together with its rule, which is in the identity of every number."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from rules.arithmetic import NEEDS, all_numbers, changed, close, read

HOW = "run 'PYTHONPATH=tests:benchmarks python tests/rules/arithmetic.py' and commit what it writes"


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[int, list[float]]]:
    return all_numbers()


def test_no_arithmetic_changed_under_its_rule(found: dict[str, tuple[int, list[float]]]) -> None:
    assert not changed(found, read()), f"raise the rule of these parts, then {HOW}"


def test_everything_with_a_rule_is_written_down(found: dict[str, tuple[int, list[float]]]) -> None:
    lacking = tuple(f" {name} " for name, package in NEEDS.items() if find_spec(package) is None)
    kept = {name: row for name, row in read().items() if not any(part in f"{name} " for part in lacking)}
    stale = [name for name in found if name not in kept or kept[name][0] != found[name][0]]
    assert not stale, HOW
    assert set(kept) == set(found), HOW


def test_a_change_of_a_percent_is_seen(found: dict[str, tuple[int, list[float]]]) -> None:
    """Each part's numbers are far enough from nothing to show one."""
    for name, (_, numbers) in found.items():
        assert not close(numbers, [1.01 * value for value in numbers]), name
