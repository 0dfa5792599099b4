"""Pictures of results with a slider over the rate; without a script they stand below each other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import jinja2
from markupsafe import Markup


class Shot(NamedTuple):
    """One picture of a panel.

    Attributes:
        rate: at which it is shown; None at all rates, such as a photograph and its truth.
        uri: the picture as a ``data:`` URI, so that the page needs no other file.
        caption: below it, and read aloud in its place.
    """

    rate: float | None
    uri: str
    caption: str


def panels(title: str, kind: str, shots: Sequence[Shot]) -> Markup:
    """Lay out pictures for a page: those of one rate beside each other, a slider from rate to rate.

    Pictures without a rate stand above the slider. The page holds the slider's script once
    (:func:`script`); where no script runs, and in print, all rates stand below each other.

    Args:
        title: of the whole, such as the image's name and why it was chosen.
        kind: of degradation, such as ``shrink``; 0 is undegraded.
        shots: in the order in which they stand; rates are sorted.

    Raises:
        ValueError: a picture is no data URI, or no picture has a rate.

    >>> shots = [Shot(0, "data:,a", "Baseline, 71.2"), Shot(1, "data:,b", "50.3")]
    >>> html = panels("toy_0001", "shrink", shots)
    >>> html.count("<img"), 'alt="toy_0001, shrink 1: 50.3"' in html
    (2, True)
    """
    for shot in shots:
        if not shot.uri.startswith("data:"):
            raise ValueError(f"{title}: the picture '{shot.caption}' must be a data URI, not {shot.uri[:40]}")
    rates = sorted({shot.rate for shot in shots if shot.rate is not None})
    if not rates:
        raise ValueError(f"{title}: no picture has a rate")
    steps = [
        (f"{kind} {rate:g}" if rate else "undegraded", [shot for shot in shots if shot.rate == rate])
        for rate in rates
    ]
    common = [shot for shot in shots if shot.rate is None]
    return Markup(_template().render(title=title, common=common, steps=steps))  # noqa: S704 - escaped there


def script() -> Markup:
    """Return the script that the sliders of a page share."""
    text = files("scribblebench.report").joinpath("templates/slider.js").read_text(encoding="utf-8")
    return Markup(f"<script>\n{text}</script>")  # noqa: S704 - our own file


@cache
def _template() -> jinja2.Template:
    loader = jinja2.PackageLoader("scribblebench.report")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("slider.html")
