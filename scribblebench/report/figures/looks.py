"""How a method is drawn: the same colour, marker and dash in every figure and on the page, by its name."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path
from numpy.typing import ArrayLike

from scribblebench.report.figures.style import COLOURS

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p")
# On and off, in line widths; the paper's lines are dotted.
DASHES: tuple[tuple[float, ...], ...] = ((), (4.0, 1.6), (6.4, 1.6, 1.0, 1.6), (8.0, 1.4, 1.0, 1.4, 1.0, 1.4))
_LETTERS = {int(Path.MOVETO): "M", int(Path.LINETO): "L", int(Path.CURVE3): "Q", int(Path.CURVE4): "C"}
_REFERENCE, _GREY = "baseline", COLOURS[0]
_OTHERS = COLOURS[1:]
# Places of the shipped methods: those often seen together have other colours. Append; never reorder.
_PLACES = """
rw rw-ss gated-crf dense-crf tree-energy ncl kcl
agmm bpg-prn mean-teacher self-training soft-self-labels scribblesup rawks
rawks-learned rw-ss-entropy full deeplabv2 rw-flip-before rw-flip-after rw-flip-eigenspace
rw-translation-before rw-translation-after rw-translation-eigenspace rw-random-before rw-random-after
rw-uniform rw-image rw-posterior rw-centred rw-cosine rw-scaled rw-conv rw-inner-product rw-uniform-identity
rw-ss-scaled rw-ss-zero rw-ss-no-trace rw-ss-entries rw-random-logits baseline-aspp baseline-conv
whats-the-point sdi bcm cian ficklenet sc-cam whats-the-point-plain
sdi-naive sdi-box sdi-box-inner cam cam-walk
""".split()  # noqa: SIM905 - 44 lines otherwise


@dataclass(frozen=True)
class Look:
    """How one method is drawn in every figure.

    Attributes:
        colour: ``#rrggbb``.
        marker: of matplotlib.
        dash: lengths on and off in line widths, empty for a solid line.
    """

    colour: str
    marker: str
    dash: tuple[float, ...]

    @property
    def line(self) -> tuple[int, tuple[float, ...]] | Literal["-"]:
        """The dash as matplotlib's line style."""
        return (0, self.dash) if self.dash else "-"

    def outline(self, size: float) -> str:
        """Return the marker as an SVG path around the origin.

        >>> Look("#0068b0", "s", ()).outline(2.0)
        'M-1 1L1 1L1 -1L-1 -1Z'
        """
        style = MarkerStyle(self.marker)
        path = style.get_path().transformed(style.get_transform())
        return "".join(
            "Z" if code == Path.CLOSEPOLY else _LETTERS[int(code)] + " ".join(_numbers(points, size))
            for points, code in path.iter_segments(simplify=False, curves=True)
        )


def look(method: str) -> Look:
    """Return how a method is drawn, whichever others are drawn with it.

    The baseline is grey. A method that is not shipped has a place by the SHA-256 of its name, and an earlier
    definition under a name (``rw [1a2b3c]``) the colour and marker of that name with another dash.

    >>> look("rw").colour, look("rw-ss").colour, look("rw").line
    ('#0068b0', '#d95f02', '-')
    """
    name, _, mark = method.partition(" [")
    if name == _REFERENCE:
        colour, marker, dash = _GREY, 0, 0
    else:
        place = _place(name)
        turn, column = divmod(place, len(_OTHERS))
        colour, marker, dash = _OTHERS[column], (column + 1 + turn) % len(MARKERS), turn % len(DASHES)
    return Look(colour, MARKERS[marker], DASHES[(dash + bool(mark)) % len(DASHES)])


def _place(name: str) -> int:
    if name in _PLACES:
        return _PLACES.index(name)
    digest = hashlib.sha256(name.encode()).digest()
    return int.from_bytes(digest[:4], "big") % (len(_OTHERS) * len(MARKERS))


def _numbers(points: ArrayLike, size: float) -> list[str]:
    # SVG counts downwards.
    flipped = np.asarray(points).reshape(-1, 2) * (size, -size)
    return [f"{number + 0.0:.3g}" for number in flipped.flat]
