"""Tables as people print them, in Markdown and LaTeX: chosen columns of the very rows that the CSV has."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scribblebench.report.collect import one_line
from scribblebench.report.tables import Rows

# A row's text in one column.
Show = Callable[[Mapping[str, Any]], str]
_NOTHING = "\u2013"
_GROUP = ("dataset", "protocol", "settings", "group")


@dataclass(frozen=True)
class Printed:
    """One table of words.

    Attributes:
        caption: what it shows.
        label: of LaTeX; file-name safe.
        header: headings.
        rows: as many texts each.
    """

    caption: str
    label: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Layout:
    """How the rows of a CSV file are printed.

    Attributes:
        title: of the table.
        columns: heading -> text of a row.
        each: columns of the CSV, besides the group, whose every value gets a table of its own.
        across: the column whose values stand across as further headings, and what stands there; or None.
    """

    title: str
    columns: Mapping[str, Show]
    each: tuple[str, ...] = ()
    across: tuple[str, Show] | None = None


def plain(column: str) -> Show:
    """Show a column as it is, a dash where it is empty."""
    return lambda row: _text(row.get(column))


def percent(column: str, digits: int = 1) -> Show:
    """Show a fraction in percent and, where the row has one, its interval.

    >>> percent("miou")({"miou": 0.6437, "miou_low": 0.6, "miou_high": 0.6812})
    '64.4 [60.0, 68.1]'
    >>> percent("miou")({"miou": None})
    '–'
    """

    def show(row: Mapping[str, Any]) -> str:
        value, low, high = (row.get(f"{column}{end}") for end in ("", "_low", "_high"))
        if value is None:
            return _NOTHING
        if low is None or high is None:
            return _hundredth(value, digits)
        return f"{_hundredth(value, digits)} [{_hundredth(low, digits)}, {_hundredth(high, digits)}]"

    return show


def p_value(column: str) -> Show:
    """Show a p-value with three digits.

    >>> p_value("p")({"p": 0.00001}), p_value("p")({"p": 0.0312}), p_value("p")({"p": None})
    ('< 0.001', '0.031', '–')
    """

    def show(row: Mapping[str, Any]) -> str:
        value = row.get(column)
        if value is None:
            return _NOTHING
        return "< 0.001" if value < 0.001 else f"{value:.3f}"

    return show


def lay_out(layout: Layout, rows: Rows) -> list[Printed]:
    """Turn the rows of a CSV file into tables: one for each group and value of ``each``."""
    parts: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        parts.setdefault(tuple(row.get(key) for key in (*_GROUP, *layout.each)), []).append(row)
    return [_part(layout, key, part) for key, part in parts.items()]


def to_markdown(tables: Sequence[Printed]) -> str:
    r"""Write tables as Markdown of GitHub's kind.

    >>> print(to_markdown([Printed("Two", "two", ["a", "b"], [["x|y", "1"]])]), end="")
    **Two**
    <BLANKLINE>
    | a | b |
    | :--- | ---: |
    | x\|y | 1 |
    """
    return "\n".join(_markdown(table) for table in tables)


def to_latex(tables: Sequence[Printed]) -> str:
    r"""Write tables as LaTeX; the preamble needs ``\usepackage{booktabs}``, and UTF-8.

    >>> print(to_latex([Printed("50 %", "half", ["a_b", "c"], [["x & y", "1"]])]), end="")
    % \usepackage{booktabs}
    \begin{table}
    \centering
    \caption{50 \%}
    \label{tab:half}
    \begin{tabular}{lr}
    \toprule
    a\_b & c \\
    \midrule
    x \& y & 1 \\
    \bottomrule
    \end{tabular}
    \end{table}
    """
    return "% \\usepackage{booktabs}\n" + "\n".join(_latex(table) for table in tables)


_ESCAPES = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "\u2013": "--",
    "\u2212": r"\ensuremath{-}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    # A row that begins with one would be read as an option of the line before it.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPES)))


def escape_latex(text: str) -> str:
    r"""Write a text so that LaTeX prints its characters and obeys none.

    >>> escape_latex("R&D_50%"), escape_latex("\\input{x}")
    ('R\\&D\\_50\\%', '\\textbackslash{}input\\{x\\}')
    """
    return _SPECIAL.sub(lambda found: _ESCAPES[found[0]], one_line(text))


def _part(layout: Layout, key: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> Printed:
    dataset, protocol, settings, group, *each = ("" if part is None else str(part) for part in key)
    where = [dataset, f"{protocol} protocol" if protocol else "", settings]
    caption = f"{layout.title}: {', '.join(part for part in (*each, *where) if part)}"
    label = "-".join(part for part in (layout.title.split(":")[0], *each, group) if part)
    header, body = list(layout.columns), _body(layout, rows)
    if layout.across:
        header += list(dict.fromkeys(_text(row[layout.across[0]]) for row in rows))
    return Printed(caption, re.sub(r"[^A-Za-z0-9]+", "-", label).lower(), header, body)


def _body(layout: Layout, rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the texts; with columns across, rows that begin alike become one."""
    begun = [([show(row) for show in layout.columns.values()], row) for row in rows]
    if layout.across is None:
        return [texts for texts, _ in begun]
    column, shown = layout.across
    values = list(dict.fromkeys(row[column] for row in rows))
    found: dict[tuple[str, ...], dict[Any, str]] = {}
    for texts, row in begun:
        found.setdefault(tuple(texts), {})[row[column]] = shown(row)
    return [[*texts, *(across.get(value, _NOTHING) for value in values)] for texts, across in found.items()]


def _hundredth(value: float, digits: int) -> str:
    """Write a fraction in percent, without a sign before 0."""
    return f"{round(100 * value, digits) + 0.0:.{digits}f}"


def _text(value: Any) -> str:
    """Write a value for people.

    >>> _text(None), _text(0.5), _text(24757721), _text("rw")
    ('–', '0.5', '24757721', 'rw')
    """
    if value is None or value == "":
        return _NOTHING
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _markdown(table: Printed) -> str:
    def line(texts: Sequence[str]) -> str:
        return "| " + " | ".join(_markdown_text(text) for text in texts) + " |"

    rule = "| " + " | ".join([":---"] + ["---:"] * (len(table.header) - 1)) + " |"
    body = [line(table.header), rule, *(line(row) for row in table.rows)]
    return "\n".join([f"**{_markdown_text(table.caption)}**", "", *body]) + "\n"


def _markdown_text(text: str) -> str:
    return re.sub(r"([\\|*_`<\[\]])", r"\\\1", one_line(text))


def _latex(table: Printed) -> str:
    def line(texts: Sequence[str]) -> str:
        return " & ".join(map(escape_latex, texts)) + r" \\"

    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{escape_latex(table.caption)}}}",
            rf"\label{{tab:{table.label}}}",
            rf"\begin{{tabular}}{{l{'r' * (len(table.header) - 1)}}}",
            r"\toprule",
            line(table.header),
            r"\midrule",
            *map(line, table.rows),
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )
