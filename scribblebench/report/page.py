"""One self-contained HTML page: tables as text, figures as inlined SVG."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
from markupsafe import Markup

from scribblebench.report.collect import NONE, Cell, Group, Variant
from scribblebench.report.comparisons import Comparison, compare
from scribblebench.report.convergence import FLAT, record_fall
from scribblebench.report.estimates import Estimates
from scribblebench.report.formats import interval, p_value, percent, signed, swatch
from scribblebench.report.leaders import Leaders, leaders
from scribblebench.report.measured import Table
from scribblebench.report.notes import notes
from scribblebench.report.provenance import Written, in_words, ran_on, settings
from scribblebench.report.slider import script
from scribblebench.report.tables.table1 import table1
from scribblebench.report.tables.table2 import table2
from scribblebench.report.tables.table4 import entry

GENERATOR = '<meta name="generator" content="scribblebench">'
# The three methods every grid has; Table 1 is worth showing when it has more of its rows.
_ABLATION_ROWS = 4
_LINES, _DIGITS = re.compile(rb' d="[^"]*"'), re.compile(rb"(\.\d\d)\d+")


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        svg: the file's bytes.
        title: says what it shows, for readers who do not see it too.
    """

    svg: bytes
    title: str

    @property
    def uri(self) -> str:
        """The picture as a data URI, its lines to a hundredth of a point: half as long."""
        short = _LINES.sub(lambda line: _DIGITS.sub(rb"\1", line[0]), self.svg)
        return "data:image/svg+xml;base64," + base64.b64encode(short).decode("ascii")


@dataclass(frozen=True)
class Section:
    """One group's part of the page.

    Attributes:
        estimates: behind its tables.
        differences: figures of paired differences.
        curves: figures of mIoU against the rate.
        training: figures of the training.
        parts: headings and what stands below each, such as pictures of results
            (:func:`~scribblebench.report.slider.panels`); after the curves.
    """

    estimates: Estimates
    differences: Sequence[Picture]
    curves: Sequence[Picture]
    training: Sequence[Picture]
    parts: Sequence[tuple[str, Markup]] = ()

    @property
    def group(self) -> Group:
        """The group."""
        return self.estimates.group

    @property
    def notes(self) -> list[str]:
        """What a reader must know before he reads the tables."""
        return notes(self.group)

    @property
    def kinds(self) -> list[str]:
        """The halves of Table 4; ``none`` alone where nothing is degraded."""
        return self.group.kinds or [NONE.kind]

    def leaders(self) -> list[Leaders]:
        """Who is best: a table a kind."""
        return leaders(self.estimates)

    def table4(self, kind: str) -> list[dict[str, Any]]:
        """Rows of Table 4 for one kind, undegraded scribbles first."""
        shown = self.group.columns(kind)
        return [
            {"method": method, "title": title, "entries": [entry(self.estimates, method, v) for v in shown]}
            for method, title in self.group.on(kind).items()
        ]

    def with_crf(self) -> list[dict[str, Any]]:
        """Methods and variants with a number after the CRF, and all that is known of each."""
        group = self.group
        known = [
            {"method": method, "title": title, "variant": variant, **entry(self.estimates, method, variant)}
            for method, title in group.methods.items()
            for variant in group.variants
        ]
        return [row for row in known if row["miou_crf"] is not None]

    def table1(self) -> list[dict[str, Any]]:
        """Rows of Table 1, or none where only the methods of Table 4 were run."""
        rows = list(table1([self.estimates]))
        return rows if sum(row["miou"] is not None for row in rows) >= _ABLATION_ROWS else []

    def table2(self) -> list[dict[str, Any]]:
        """Rows of Table 2, or none where no published method was run."""
        rows = list(table2([self.estimates]))
        return rows if any(row["miou"] is not None and row["source"] for row in rows) else []

    def comparisons(self) -> list[Comparison]:
        """The inequalities that could be tested."""
        return compare(self.estimates)

    def title(self, method: str) -> str:
        """A method's title."""
        return self.group.methods.get(method, method)

    def classes(self) -> Sequence[str]:
        """Class names."""
        return self.group.sample.classes

    def class_rows(self) -> dict[str, list[tuple[Variant, list[float | None]]]]:
        """Method -> (variant, IoU of every class as the mean over seeds), where any seed is done."""
        group = self.group
        rows: dict[str, list[tuple[Variant, list[float | None]]]] = {}
        for method in group.methods:
            for variant in group.variants:
                done = [
                    cell.record.iou for cell in group.at(method, variant) if cell.done and cell.record.iou
                ]
                if done:
                    iou = [_mean(values) for values in zip(*done, strict=True)]
                    rows.setdefault(method, []).append((variant, iou))
        return rows

    def unfinished(self) -> list[tuple[str, list[Cell]]]:
        """Cells without a result that were started: status -> cells."""
        by_status: dict[str, list[Cell]] = {}
        for cell in self.group.cells:
            if not cell.done:
                by_status.setdefault(cell.record.status, []).append(cell)
        return sorted(by_status.items())

    def lost(self, method: str, variant: Variant) -> str:
        """Say which seeds of a method on a variant have no result, where others do; mostly empty."""
        cells = self.group.at(method, variant)
        lost = [f"seed {cell.record.seed} {cell.record.status}" for cell in cells if not cell.done]
        return ", ".join(lost) if len(lost) < len(cells) else ""

    def in_words(self) -> str:
        """The protocol in words."""
        return in_words(self.group)

    def settings(self) -> list[tuple[str, str]]:
        """What all cells share."""
        return settings(self.group)

    def ran_on(self) -> dict[str, list[str]]:
        """What the cells ran on."""
        return ran_on(self.group)

    def loss_fall(self, cell: Cell) -> float | None:
        """Which share of its descent the cell's loss made within the last fifth of the run."""
        return record_fall(cell.record)

    def several_seeds(self) -> bool:
        """Whether any interval rests on more than one seed."""
        e = self.estimates
        return any(len(e.seeds((m, v))) > 1 for m in self.group.methods for v in self.group.variants)


def page(
    sections: Sequence[Section],
    measured: Sequence[Table] = (),
    left_out: Sequence[tuple[str, str]] = (),
    files: Sequence[str] = (),
) -> str:
    """Write the page.

    Args:
        sections: one a group.
        measured: what was measured besides mIoU.
        left_out: what is in no table, and why.
        files: names of all files of the report, so that the next report knows them.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("scribblebench.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": percent,
        "interval": interval,
        "swatch": lambda method: Markup(swatch(method)),  # noqa: S704 - numbers and colours of ours
        "p_value": p_value,
        "signed": signed,
    }
    return environment.get_template("page.html").render(
        sections=sections,
        measured=measured,
        left_out=left_out,
        files=files,
        written=Written.now(),
        flat=FLAT,
        script=script() if any("panels" in html for s in sections for _, html in s.parts) else "",
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
