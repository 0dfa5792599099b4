"""How often intervals cover the truth, and how often nothing is called something: simulated.

The paired difference of two methods on image i with seed s is ``a_s + b_i + e_si`` with a true mean of 0:
``a`` is the spread between seeds, ``b`` what one method does better on an image whatever the seed, ``e`` what
a seed does on an image. The images' part of the variance of the mean is 1; ``spread`` is the seeds' standard
deviation of the mean over it, and ``own`` the share of the images' part that is ``e``.

    python benchmarks/intervals.py --simulations 20000
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import stats

from scribblebench.core.seeds import rng
from scribblebench.report.bootstrap import Values, image_weights, seed_weights
from scribblebench.report.intervals import LEVEL, error_and_freedom

SEEDS = (2, 3, 6, 10)
SPREADS = (0.0, 0.3, 0.7, 1.0, 1.5, 3.0, 10.0)
OWN = (0.0, 0.5, 1.0)
# Simulations at once: what fits in the cache of a small machine.
_BATCH = 500


# Lower and upper ends of intervals and one-sided p, from drawn differences and a number of resamples.
Method = Callable[[Values, int], tuple[Values, Values, Values]]


class Rates(NamedTuple):
    """Of one setting, by one method.

    Attributes:
        coverage: how often the 95 % interval holds the truth.
        errors: how often one-sided p is below 0.05 though nothing differs.
        width: mean width of the interval over that with known variance.
    """

    coverage: float
    errors: float
    width: float


def differences(simulations: int, seeds: int, images: int, spread: float, own: float) -> Iterator[Values]:
    """Draw paired differences whose true mean is 0, in batches of (simulations, seeds, images)."""
    draw = rng("intervals", seeds, images, str(spread), str(own))
    for start in range(0, simulations, _BATCH):
        count = min(_BATCH, simulations - start)
        by_seed = spread * math.sqrt(seeds) * draw.standard_normal((count, seeds, 1))
        by_image = math.sqrt((1 - own) * images) * draw.standard_normal((count, 1, images))
        alone = math.sqrt(own * images * seeds) * draw.standard_normal((count, seeds, images))
        yield by_seed + by_image + alone


def student(drawn: Values, resamples: int) -> tuple[Values, Values, Values]:
    """Lower and upper ends and one-sided p of the report's intervals: arrays (simulations,)."""
    _, seeds, images = drawn.shape
    values = seed_weights(seeds) @ drawn @ image_weights(images, resamples).T / images
    error, freedom = error_and_freedom(values, images)
    reach = stats.t.ppf((1 + LEVEL) / 2, freedom) * error
    mean = values[:, 0, 0]
    return mean - reach, mean + reach, np.asarray(stats.t.sf(mean / error, freedom))


def percentile(drawn: Values, resamples: int) -> tuple[Values, Values, Values]:
    """Give the same by percentiles of a bootstrap that resamples seeds and images together."""
    _, seeds, images = drawn.shape
    by_seed = drawn @ image_weights(images, resamples)[1:].T / images
    shares = (
        rng("intervals", "shares", seeds).multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds
    )
    values = np.einsum("rs,nsr->nr", shares, by_seed)
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)], axis=1)
    return low, high, (1 + (values <= 0).sum(axis=1)) / (1 + resamples)


def rates(
    method: Method, simulations: int, seeds: int, images: int, spread: float, own: float, resamples: int = 400
) -> Rates:
    """Count over simulations of one setting; ``method`` is :func:`student` or :func:`percentile`."""
    found = [method(drawn, resamples) for drawn in differences(simulations, seeds, images, spread, own)]
    low, high, p = (np.concatenate(part) for part in zip(*found, strict=True))
    known = 2 * stats.norm.ppf((1 + LEVEL) / 2) * math.sqrt(1 + spread**2)
    return Rates(
        float(((low <= 0) & (high >= 0)).mean()), float((p < 0.05).mean()), float((high - low).mean() / known)
    )


def main() -> None:
    """Print a table: seeds, spread and own part down; both methods across."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=4000)
    parser.add_argument("--images", type=int, default=200)
    options = parser.parse_args()
    deviation = math.sqrt(0.95 * 0.05 / options.simulations)
    print(
        f"{options.simulations} simulations, {options.images} images; +-{100 * deviation:.1f} (one deviation)"
    )
    print("                      coverage, %        p < 0.05, %        width")
    print("seeds  spread   own   before    now     before    now     before    now")
    for seeds, spread, own in product(SEEDS, SPREADS, OWN):
        before, now = (
            rates(method, options.simulations, seeds, options.images, spread, own)
            for method in (percentile, student)
        )
        print(
            f"{seeds:5d}  {spread:6.1f}  {own:4.1f}   {100 * before.coverage:6.1f} {100 * now.coverage:6.1f}"
            f"     {100 * before.errors:6.1f} {100 * now.errors:6.1f}"
            f"     {before.width:6.2f} {now.width:6.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
