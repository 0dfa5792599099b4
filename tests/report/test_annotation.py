"""Costs of annotation beside mIoU: which rows there are, what a line goes down to, and what is not drawn."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest

from scribblebench.core.library import Library
from scribblebench.report import published
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.figures.annotation import annotation as drawn
from scribblebench.report.intervals import Estimate
from scribblebench.report.tables.annotation import annotation, kinds, lowest
from scribblebench.supervision import SUPERVISIONS


class Fake:
    """Estimates of four methods of three kinds, one of them degraded."""

    def __init__(self, *supervisions: str) -> None:
        def at(method: str, variant: Variant) -> list[SimpleNamespace]:
            identity = {"training": {"supervision": supervisions[int(method[1:])]}}
            return [SimpleNamespace(done=True, record=SimpleNamespace(identity=identity))]

        self.group = SimpleNamespace(
            methods={f"m{i}": f"Method {i}" for i in range(len(supervisions))},
            variants=[NONE, Variant("drop", 0.3), Variant("drop", 0.5)],
            dataset="toy",
            protocol="toy",
            settings="",
            schema=2,
            name="toy",
            at=at,
        )

    def miou(self, method: str, variant: Variant) -> Estimate | None:
        if variant != NONE and method != "m0":
            return None
        return Estimate(0.5 - 0.4 * variant.rate + 0.05 * int(method[1:]), error=0.01, freedom=10.0)

    def seeds(self, *cells: tuple[str, Variant]) -> list[int]:
        return [0, 1]


def test_every_kind_of_supervision_has_a_cost_with_a_source() -> None:
    assert set(published.annotation()) == set(SUPERVISIONS.names())
    assert all(row.source and row.note for row in published.annotation().values())
    # The arithmetic that the notes name.
    absent, present, objects = 18.5, 1.5, 2.8
    derived = {
        "tags": 20.0,
        "points": absent + 2.4 * present,
        "strokes": absent + 10.9 * present,
        "boxes": absent + 7 * objects,
        "masks": absent + 79 * objects,
    }
    for name, row in published.annotation().items():
        assert math.isclose(row.seconds_per_image, derived[name], abs_tol=0.051)


def test_rows_are_those_of_each_kind_in_the_order_of_costs() -> None:
    fake = Fake("scribble", "boxes", "scribble", "tags")
    assert kinds(fake) == {"tags": ["m3"], "strokes": ["m0", "m2"], "boxes": ["m1"]}
    rows = annotation([fake])
    assert [(r["supervision"], r["method"], r["rate"]) for r in rows] == [
        ("tags", "m3", 0.0),
        ("strokes", "m0", 0.0),
        ("strokes", "m0", 0.3),
        ("strokes", "m0", 0.5),
        ("strokes", "m2", 0.0),
        ("boxes", "m1", 0.0),
    ]
    assert rows[0]["seconds_per_image"] == 20.0
    assert not annotation([Fake("scribble", "scribble")])


def test_the_line_goes_down_to_the_lowest_mean() -> None:
    fake = Fake("scribble", "boxes")
    assert lowest(fake, "m0") == (Variant("drop", 0.5), pytest.approx(0.3))
    assert lowest(fake, "m1") is None


def test_a_figure_needs_two_kinds() -> None:
    assert drawn(Fake("scribble", "scribble")) is None
    files = drawn(Fake("scribble", "boxes", "tags"))
    assert files is not None
    text = files["svg"].decode()
    assert text.startswith("<?xml")
    assert files == drawn(Fake("scribble", "boxes", "tags")), "equal estimates, equal bytes"


def test_the_grid_names_methods_of_every_kind() -> None:
    library = Library()
    seen = {library.method(name).supervision for name in library.grid("supervision").methods}
    assert seen == set(SUPERVISIONS.names())
