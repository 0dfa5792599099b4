"""The first table of a group on the page: who is best at each rate, against the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scribblebench.report.collect import NONE
from scribblebench.report.comparisons import ALPHA
from scribblebench.report.estimates import Estimates
from scribblebench.report.formats import p_value
from scribblebench.report.notes import counted
from scribblebench.report.standings import Standing, baseline, compared, robustness, standings
from scribblebench.report.tables.table4 import status

# More names than these are counted: the table shades them.
_NAMED = 6


@dataclass(frozen=True)
class Answer:
    """Which method is best in one column, and how sure that is.

    Attributes:
        where: the column, in words.
        title: of the best.
        best: how it stands.
        apart: from which others it is told apart.
    """

    where: str
    title: str
    best: Standing
    apart: str

    @property
    def chance(self) -> str:
        """Whether its difference from the baseline is more than chance, in words."""
        if self.best.p is None:
            return f"{counted(self.best.gain_seeds, 'seed')} in common: too few to test"
        sure = "more than chance" if self.best.p < ALPHA else "chance is not ruled out"
        return f"{sure} (p\u202f{_equals(self.best.p)}, {counted(self.best.gain_seeds, 'seed')})"


@dataclass(frozen=True)
class Leaders:
    """One kind of degradation: a row a method, a column a rate, the area under the curve last.

    Attributes:
        kind: of degradation.
        columns: headings.
        baseline: title of the method that others are compared with.
        rows: method -> what stands in each column, and why nothing does.
        titles: method -> title.
        answers: for each column where anything was measured.
    """

    kind: str
    columns: tuple[str, ...]
    baseline: str
    rows: Sequence[tuple[str, Sequence[tuple[Standing, str]]]]
    titles: dict[str, str]
    answers: Sequence[Answer]


def leaders(estimates: Estimates) -> list[Leaders]:
    """Lay out every kind that methods can be compared on."""
    return [_of(estimates, kind, methods) for kind, methods in compared(estimates).items()]


def _of(e: Estimates, kind: str, methods: Sequence[str]) -> Leaders:
    titles = e.group.methods
    variants = e.group.columns(kind)
    table = [standings(e, variant, methods) for variant in variants]
    why = [[status(e.group, method, variant) for method in methods] for variant in variants]
    columns = ["none" if variant == NONE else f"{variant.rate:g}" for variant in variants]
    if kind != NONE.kind:
        table.append(robustness(e, kind, methods))
        why.append(["not at every rate"] * len(methods))
        columns.append("area")
    across = zip(*table, strict=True)
    reasons = zip(*why, strict=True)
    rows = [
        (method, list(zip(found, said, strict=True)))
        for method, found, said in zip(methods, across, reasons, strict=True)
    ]
    places = [_place(kind, name) for name in columns]
    answers = [_answer(place, column, titles) for place, column in zip(places, table, strict=True)]
    found = [answer for answer in answers if answer is not None]
    return Leaders(kind, tuple(columns), titles[baseline(methods)], rows, titles, found)


def _place(kind: str, column: str) -> str:
    if column == "none":
        return "undegraded"
    return f"{kind}, area under the curve" if column == "area" else f"{kind} {column}"


def _answer(where: str, rows: Sequence[Standing], titles: dict[str, str]) -> Answer | None:
    best = next((row for row in rows if row.best), None)
    if best is None or len(rows) < 2:
        return None
    tied = [titles[row.method] for row in rows if row.tied]
    others = sum(row.value is not None for row in rows) - 1
    if not others:
        apart = "the only one measured"
    elif sum(row.untested for row in rows) == others:
        apart = "the others are not tested either"
    elif not tied:
        apart = "told apart from all others" + " that could be tested" * any(row.untested for row in rows)
    elif len(tied) == others:
        apart = "not told apart from any other"
    elif len(tied) > _NAMED:
        apart = f"not told apart from {len(tied)} of {others} others"
    else:
        apart = f"not told apart from {', '.join(tied)}"
    return Answer(where, titles[best.method], best, apart)


def _equals(p: float) -> str:
    text = p_value(p)
    return text.replace("<", "<\u202f") if text.startswith("<") else f"=\u202f{text}"
