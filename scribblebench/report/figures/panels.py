"""Pictures in rows, their columns in groups: what the figures of pictures share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from scribblebench.report.figures.style import (
    INK,
    QUIET,
    WIDTH,
    legend_columns,
    legend_height,
    render,
)

# Inches.
_LEFT, _RIGHT, _BAR = 0.25, 0.1, 0.75
_GAP, _GROUP_GAP = 0.06, 0.2
_CAPTION, _HEADING, _TITLE, _TITLE_LINE, _BOTTOM = 0.28, 0.22, 0.19, 0.12, 0.1
SMALL = 7.5


@dataclass(frozen=True)
class Row:
    """A row of pictures.

    Attributes:
        name: shown at its left.
        tall: height over width of its tallest picture.
        draw: draws on its panels.
        below: inches left below the pictures for what ``draw`` writes there.
    """

    name: str
    tall: float
    draw: Callable[[Sequence[Axes]], None]
    below: float = 0.0


Groups = Sequence[tuple[str, Sequence[str]]]
Scale = Callable[[Axes], None]
Key = Sequence[tuple[str, str]]
"""Colours and names."""


def picture_rows(
    rows: Sequence[Row],
    groups: Groups,
    caption: str,
    titled: bool = False,
    scale: Scale | None = None,
    key: Key = (),
) -> dict[str, bytes]:
    """Draw pictures in rows.

    Every panel is placed by hand: a layout engine makes columns as wide as their titles.

    Args:
        rows: the rows.
        groups: heading and titles of the columns, group by group; titles may hold formulas.
        caption: a line above all.
        titled: rows below the first leave room for titles of their own.
        scale: draws a colour scale at the right.
        key: colours and what they stand for, in a legend below all.
    """
    across = _across(groups, scale is not None)
    above = [_titles_height(groups), *([_TITLE if titled else _GAP] * (len(rows) - 1))]
    body = sum(above) + sum(across * row.tall + row.below for row in rows)
    heading = _HEADING if any(name for name, _ in groups) else 0.0
    foot = _BOTTOM + legend_height([name for _, name in key])
    height = _CAPTION + heading + body + foot

    def draw(figure: Figure) -> None:
        figure.set_layout_engine("none")
        figure.text(0.06 / WIDTH, 1 - 0.06 / height, caption, fontsize=8, color=QUIET, va="top")
        lefts = _lefts(groups, across)
        top = height - _CAPTION - heading
        _headings(figure, groups, lefts, top / height)
        for index, (row, room) in enumerate(zip(rows, above, strict=True)):
            tall = across * row.tall
            top -= room + tall
            boxes = [(left / WIDTH, top / height, across / WIDTH, tall / height) for left in lefts]
            _draw_row(figure, row, boxes, groups if index == 0 else ())
            top -= row.below
        if scale:
            bar = (1 - (_BAR - 0.12) / WIDTH, foot / height, 0.13 / WIDTH, (body - _TITLE) / height)
            scale(figure.add_axes(bar))
        if key:
            _draw_key(figure, key)

    return render(draw, height)


def _across(groups: Groups, scaled: bool) -> float:
    """Width of a picture."""
    count = sum(len(titles) for _, titles in groups)
    gaps = (count - len(groups)) * _GAP + (len(groups) - 1) * _GROUP_GAP
    return (WIDTH - _LEFT - (_BAR if scaled else _RIGHT) - gaps) / count


def _titles_height(groups: Groups) -> float:
    lines = max(title.count("\n") for _, titles in groups for title in titles)
    return _TITLE + lines * _TITLE_LINE


def _draw_row(
    figure: Figure, row: Row, boxes: Sequence[tuple[float, float, float, float]], groups: Groups
) -> None:
    panels = [_panel(figure, box) for box in boxes]
    panels[0].set_ylabel(row.name, fontsize=7, color=QUIET)
    for panel, title in zip(panels, (title for _, names in groups for title in names), strict=False):
        panel.set_title(title, fontsize=SMALL, pad=3, parse_math=True)
    row.draw(panels)


def _draw_key(figure: Figure, key: Key) -> None:
    handles = [Patch(color=colour, label=name) for colour, name in key]
    columns = legend_columns([name for _, name in key])
    figure.legend(
        handles=handles, loc="lower center", ncols=columns, fontsize=SMALL, borderaxespad=0.2, handlelength=1
    )


def _lefts(groups: Groups, across: float) -> list[float]:
    left, lefts = _LEFT, []
    for _, titles in groups:
        for _ in titles:
            lefts.append(left)
            left += across + _GAP
        left += _GROUP_GAP - _GAP
    return lefts


def _headings(figure: Figure, groups: Groups, lefts: Sequence[float], bottom: float) -> None:
    first = 0
    for heading, titles in groups:
        figure.text(lefts[first] / WIDTH, bottom, heading, fontsize=9, color=INK, va="bottom")
        first += len(titles)


def _panel(figure: Figure, box: tuple[float, float, float, float]) -> Axes:
    panel = figure.add_axes(box)
    panel.set_anchor("N")
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    panel.spines[:].set_visible(False)
    panel.set_facecolor("none")
    return panel
