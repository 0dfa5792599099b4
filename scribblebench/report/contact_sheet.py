"""A contact sheet: photographs with strokes over them, before and after (as Figure 4 of the RW-SS paper)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from scribblebench.pictures.photographs import read_photograph
from scribblebench.report.figures.strokes import colour, draw_strokes
from scribblebench.report.figures.style import INK, QUIET, STYLE
from scribblebench.scribbles.stroke import Annotation

# Inches. A4 held upright up to four columns, on its side beyond, both with a printer's margins.
_UPRIGHT, _SIDEWAYS = 7.3, 10.7
_GAP, _CAPTION, _TITLE, _NAME, _LEGEND_LINE = 0.06, 0.17, 0.34, 0.2, 0.2
_DPI = 300
_LINE = 2.0
"""Width of a 3-pixel stroke on paper, in points: wider than true, so that it is seen."""


@dataclass(frozen=True)
class Panel:
    """One photograph with strokes.

    Attributes:
        title: such as ``drop 0.3``.
        annotation: the strokes.
        width: of the pen, in pixels.
        labelled: share of the pixels that are labelled.
    """

    title: str
    annotation: Annotation
    width: float
    labelled: float


@dataclass(frozen=True)
class Row:
    """One photograph, as it was and as it became.

    Attributes:
        photograph: the file.
        panels: the first is how it was; its strokes are shown faintly in the others.
    """

    photograph: Path
    panels: tuple[Panel, ...]


def contact_sheet(rows: Sequence[Row], classes: Sequence[str]) -> bytes:
    """Draw a sheet, one row below the other.

    Args:
        rows: photographs with their panels.
        classes: names by class index, for the legend.

    Returns:
        The bytes of a PNG at 300 dots an inch, as wide as an A4 page.
    """
    columns = max(len(row.panels) for row in rows)
    width = _UPRIGHT if columns <= 4 else _SIDEWAYS
    across = (width - _NAME - columns * _GAP) / columns
    shown = sorted({s.class_index for row in rows for p in row.panels for s in p.annotation.strokes})
    heights = [_row_height(row, across) for row in rows]
    per_line, lines = _legend_shape([classes[c] for c in shown], width)
    height = sum(heights) + len(rows) * (_TITLE + _CAPTION) + lines * _LEGEND_LINE + 0.1
    with mpl.rc_context({**STYLE, "figure.constrained_layout.use": False}):
        figure = Figure(figsize=(width, height))
        top = height
        for row, tall in zip(rows, heights, strict=True):
            top -= _TITLE
            for column, panel in enumerate(row.panels):
                left = _NAME + column * (across + _GAP)
                box = (left / width, (top - tall) / height, across / width, tall / height)
                _draw_panel(figure.add_axes(box), row, panel)
            figure.text(0.02 / width, (top - tall / 2) / height, row.panels[0].annotation.image,
                        rotation=90, va="center", fontsize=6, color=QUIET)  # fmt: skip
            top -= tall + _CAPTION
        handles = [Line2D([], [], color=colour(c), linewidth=3, label=classes[c]) for c in shown]
        figure.legend(handles=handles, loc="lower center", ncols=per_line, fontsize=7, borderaxespad=0.3)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, metadata={"Software": None})
    return buffer.getvalue()


def _row_height(row: Row, across: float) -> float:
    """Height of a row's panels; a photograph taller than wide is made narrower instead."""
    annotation = row.panels[0].annotation
    return across * min(1.0, annotation.height / annotation.width)


def _legend_shape(names: Sequence[str], width: float) -> tuple[int, int]:
    """Entries a line, and lines, so that the widest entry fits."""
    widest = 0.55 + 0.065 * max((len(name) for name in names), default=0)
    per_line = max(1, min(len(names), int(width / widest)))
    return per_line, -(-len(names) // per_line)


def _draw_panel(axes: Axes, row: Row, panel: Panel) -> None:
    before = row.panels[0].annotation
    photograph = read_photograph(row.photograph)
    draw_strokes(axes, photograph, panel.annotation, _LINE * panel.width / 3, before)
    axes.axis("off")
    axes.set_title(panel.title, fontsize=8, color=INK, pad=3)
    axes.text(0, -0.02, _caption(panel, len(before.strokes)), transform=axes.transAxes, va="top",
              fontsize=6, color=QUIET)  # fmt: skip


def _caption(panel: Panel, before: int) -> str:
    strokes = len(panel.annotation.strokes)
    counted = f"{strokes} of {before} strokes" if strokes < before else f"{strokes} strokes"
    return f"{counted}, {100 * panel.labelled:.2f} % labelled"
