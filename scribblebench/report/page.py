"""One self-contained HTML page: tables as text, figures as inlined SVG."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

from scribblebench import __version__
from scribblebench.report.collect import NONE, Cell, Group, Variant
from scribblebench.report.comparisons import Comparison, compare
from scribblebench.report.conditions import conditions
from scribblebench.report.convergence import FLAT, record_fall
from scribblebench.report.estimates import Estimates
from scribblebench.report.intervals import Estimate
from scribblebench.report.leaders import Leaders, leaders
from scribblebench.report.measured import Table
from scribblebench.report.notes import counted, notes
from scribblebench.report.slider import script
from scribblebench.report.tables.table1 import table1
from scribblebench.report.tables.table2 import table2
from scribblebench.report.tables.table4 import entry

GENERATOR = '<meta name="generator" content="scribblebench">'
# The three methods every grid has; Table 1 is worth showing when it has more of its rows.
_ABLATION_ROWS = 4
_HEAT_LOW, _HEAT_HIGH = np.array([255, 255, 255]), np.array([74, 144, 196])


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
        """The picture as a data URI."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.svg).decode("ascii")


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
            {"title": title, "entries": [entry(self.estimates, method, v) for v in shown]}
            for method, title in self.group.on(kind).items()
        ]

    def with_crf(self) -> list[dict[str, Any]]:
        """Methods and variants with a number after the CRF, and all that is known of each."""
        group = self.group
        known = [
            {"title": title, "variant": variant, **entry(self.estimates, method, variant)}
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

    def provenance(self) -> dict[str, list[str]]:
        """What the cells ran on: heading -> distinct values, with the number of cells where they differ."""
        records = [cell.record for cell in self.group.cells]
        shared = conditions(self.group.sample)
        return {
            **{name.capitalize(): [json.dumps(part, ensure_ascii=False)] for name, part in shared.items()},
            "Device": _distinct(record.device for record in records),
            "Versions": _distinct(
                ", ".join(f"{k} {v}" for k, v in sorted(r.versions.items())) for r in records
            ),
            "Commit": _distinct(record.commit for record in records),
            "Command": _distinct(record.command for record in records),
        }

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
        "heat": heat,
        "p_value": p_value,
        "signed": signed,
    }
    return environment.get_template("page.html").render(
        sections=sections,
        measured=measured,
        left_out=left_out,
        files=files,
        version=__version__,
        flat=FLAT,
        script=script() if any("panels" in html for s in sections for _, html in s.parts) else "",
    )


def percent(value: float | None, digits: int = 1) -> str:
    """Write a fraction in percent, a dash where there is none.

    >>> percent(0.6437), percent(-0.0141), percent(-0.0001), percent(None)
    ('64.4', '−1.4', '0.0', '–')
    """
    if value is None:
        return "\u2013"
    text = f"{100 * value:.{digits}f}".replace("-", "\u2212")
    return text if text.strip("\u22120.") else text.lstrip("\u2212")


def interval(estimate: Estimate) -> str:
    """Write an interval in percent.

    >>> interval(Estimate(0.02, error=0.0154, freedom=60.0))
    '−1.1 to 5.1'
    """
    return f"{percent(estimate.low)} to {percent(estimate.high)}"


def signed(value: float) -> str:
    """Write a difference in points, with its sign.

    >>> signed(0.0141), signed(-0.0141)
    ('+1.4', '−1.4')
    """
    text = percent(value)
    return f"+{text}" if value > 0 and text != "0.0" else text


def p_value(value: float | None) -> str:
    """Write a p-value, a dash where nothing was tested."""
    return "\u2013" if value is None else f"{value:.4f}"


def heat(value: float | None) -> str:
    """Return the background of an IoU: white at 0, blue at 1.

    >>> heat(0.0), heat(1.0), heat(None)
    ('#ffffff', '#4a90c4', '#f4f4f4')
    """
    if value is None:
        return "#f4f4f4"
    red, green, blue = np.rint(_HEAT_LOW + value * (_HEAT_HIGH - _HEAT_LOW)).astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _distinct(values: Iterable[str]) -> list[str]:
    counts = Counter(values)
    if len(counts) == 1:
        return [value or "unknown" for value in counts]
    return [f"{value or 'unknown'} ({counted(count)})" for value, count in counts.most_common()]
