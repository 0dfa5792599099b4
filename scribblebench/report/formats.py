"""Numbers as the page writes them."""

from __future__ import annotations

from scribblebench.report.figures.looks import look
from scribblebench.report.intervals import Estimate


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
    """Write a p-value, a dash where nothing was tested.

    >>> p_value(0.0213), p_value(0.00001), p_value(None)
    ('0.0213', '<0.0001', '–')
    """
    if value is None:
        return "\u2013"
    return "<0.0001" if value < 0.0001 else f"{value:.4f}"


def swatch(method: str) -> str:
    """Draw a method's line and marker as the figures do: the inside of an SVG of 26 x 12.

    >>> swatch("rw")[:62]
    '<path d="M1 6H25" stroke="#0068b0" stroke-width="2"/><path tra'
    """
    drawn = look(method)
    dash = f' stroke-dasharray="{" ".join(f"{2 * part:g}" for part in drawn.dash)}"' if drawn.dash else ""
    return (
        f'<path d="M1 6H25" stroke="{drawn.colour}" stroke-width="2"{dash}/>'
        f'<path transform="translate(13 6)" d="{drawn.outline(8.0)}" fill="{drawn.colour}"/>'
    )
