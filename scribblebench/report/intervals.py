"""From resampled values to an estimate with its interval and p-value, calibrated for few seeds.

The standard error has two parts: that of the images, by the bootstrap, and that of the seeds, by the
jackknife (for a mean, ``s^2 / n``), each with its own degrees of freedom (Satterthwaite, 1946); interval and
p are Student's. What images and seeds do together shows in both parts, and is counted once.

Two or three seeds may lie close together by luck, and would then seem to know their spread from many images.
So the degrees of freedom are reckoned with the upper confidence bound of the seeds' part. How well the
intervals cover is simulated in ``benchmarks/intervals.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special  # scipy.stats takes seconds to import

from scribblebench.report.bootstrap import Values

LEVEL = 0.95
# One-sided level of the upper bound of the seeds' part. Chosen by simulation: with 0.5 two seeds cover 90 %
# where the spread between them outweighs that of the images, with 0.9 three cover 99 % where it does not.
_UPPER = 0.8


@dataclass(frozen=True)
class Estimate:
    """A number, its standard error, and what follows by Student's t.

    Attributes:
        value: the estimate.
        error: its standard error.
        freedom: degrees of freedom behind the error.
        least: the smallest value that can be; the interval is cut there.
        most: the largest.
    """

    value: float
    error: float
    freedom: float
    least: float = -math.inf
    most: float = math.inf

    @classmethod
    def of(cls, values: Values, images: int, *, least: float = -math.inf, most: float = math.inf) -> Estimate:
        """Read an estimate and its error off an array such as :mod:`~scribblebench.report.bootstrap` makes.

        Args:
            values: (1 + seeds, 1 + resamples), or (1, 1 + resamples) of one seed.
            images: how many images were resampled.
            least: the smallest value that can be.
            most: the largest.
        """
        error, freedom = error_and_freedom(values, images)
        return cls(float(values[0, 0]), float(error), float(freedom), least, most)

    @property
    def low(self) -> float:
        """Lower end of the 95 % interval."""
        return max(self.least, self.value - self._reach)

    @property
    def high(self) -> float:
        """Upper end of the 95 % interval."""
        return min(self.most, self.value + self._reach)

    @property
    def p_above(self) -> float:
        """P of "not above 0", one-sided.

        >>> round(Estimate(2.0, 1.0, 60.0).p_above, 3)
        0.025
        """
        return float(special.stdtr(self.freedom, -self._t))

    @property
    def p(self) -> float:
        """P of "equal to 0", two-sided: below 0.05 where the 95 % interval leaves 0 out."""
        return float(2 * special.stdtr(self.freedom, -abs(self._t)))

    @property
    def _reach(self) -> float:
        return float(special.stdtrit(self.freedom, (1 + LEVEL) / 2)) * self.error

    @property
    def _t(self) -> float:
        if self.error > 0:
            return self.value / self.error
        return math.copysign(math.inf, self.value) if self.value else 0.0


def error_and_freedom(values: Values, images: int) -> tuple[Values, Values]:
    """Return the standard error of ``values[..., 0, 0]`` and its degrees of freedom.

    Args:
        values: (..., 1 + seeds, 1 + resamples); rows and columns as in
            :mod:`~scribblebench.report.bootstrap`.
        images: how many images were resampled.

    Returns:
        Two float64 arrays of the leading axes.
    """
    freedom = max(images - 1, 1)
    by_images = _image_variance(values[..., 0, 1:], images)
    seeds = values.shape[-2] - 1
    if seeds < 1:
        return np.sqrt(by_images), np.full_like(by_images, freedom)
    left_out = values[..., 1:, :]
    by_seeds = (seeds - 1) * left_out[..., 0].var(axis=-1)
    # Without a seed the images' variance grows by the share that each seed has for itself.
    alone = _image_variance(left_out[..., 1:], images).mean(axis=-1)
    together = np.maximum(0, (seeds - 1) * (alone - by_images))
    variance = by_images + np.maximum(0, by_seeds - together)
    bound = by_seeds * (seeds - 1) / special.chdtri(seeds - 1, _UPPER)
    return np.sqrt(variance), _satterthwaite(by_images, freedom, bound, seeds - 1)


def _image_variance(resamples: Values, images: int) -> Values:
    """Variance over bootstrap resamples, without the bootstrap's factor (n - 1) / n."""
    variance: Values = resamples.var(axis=-1, ddof=1) * images / max(images - 1, 1)
    return variance


def _satterthwaite(one: Values, one_freedom: int, other: Values, other_freedom: int) -> Values:
    """Degrees of freedom of a sum of two independent variances; those of the first where both are 0."""
    below = one**2 / one_freedom + other**2 / other_freedom
    return np.divide((one + other) ** 2, below, out=np.full_like(below, one_freedom), where=below > 0)


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values for the number of tests (Holm, 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        largest = max(largest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = largest
    return adjusted


def holm_where_tested(p: Sequence[float | None]) -> list[float | None]:
    """Adjust those that were tested, for their number; None stays None.

    >>> holm_where_tested([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    adjusted = iter(holm([value for value in p if value is not None]))
    return [None if value is None else next(adjusted) for value in p]
