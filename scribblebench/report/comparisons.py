"""Inequalities such as the paper's, each tested on a group, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scribblebench.report.bootstrap import Values
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.intervals import Estimate, holm_where_tested
from scribblebench.report.published import Claim

ALPHA = 0.05
# One seed shows nothing of the spread between seeds: images alone would "separate" two seeds of one method.
LEAST_SEEDS = 2


@dataclass(frozen=True)
class Comparison:
    """One inequality tested.

    Attributes:
        claim: which.
        difference: how much better the one said to be better is, as a fraction; above 0 supports the claim.
        p: one-sided; None with one seed, where nothing is tested.
        p_holm: adjusted for all inequalities tested on this group.
        seeds: how many seeds all cells involved share; with one, images alone are resampled.
        rates: over which rates the mean was taken.
    """

    claim: Claim
    difference: Estimate
    p: float | None
    p_holm: float | None
    seeds: int
    rates: tuple[float, ...]

    @property
    def verdict(self) -> str:
        """``holds``, ``opposite`` (the whole interval contradicts the claim), ``open``, ``too few seeds``."""
        if self.p_holm is None:
            return "too few seeds"
        if self.p_holm < ALPHA:
            return "holds"
        return "opposite" if self.difference.high < 0 else "open"


def compare(estimates: Estimates) -> list[Comparison]:
    """Estimate every claim whose cells the group has, in the order given.

    Those with at least two seeds are tested, and corrected for their number.
    """
    measured = [
        (claim, *found) for claim in estimates.claims if (found := _difference(estimates, claim)) is not None
    ]
    ps = [gain.p_above if seeds >= LEAST_SEEDS else None for _, gain, seeds, _ in measured]
    return [
        Comparison(claim, gain, p, p_holm, seeds, rates)
        for (claim, gain, seeds, rates), p, p_holm in zip(measured, ps, holm_where_tested(ps), strict=True)
    ]


def _difference(estimates: Estimates, claim: Claim) -> tuple[Estimate, int, tuple[float, ...]] | None:
    """Return what is above 0 if the claim holds, the number of seeds, and the rates; None if unmeasured."""
    methods = (claim.better, claim.worse)
    rates = estimates.rates(claim.kind, *methods)
    variants = [Variant(claim.kind, rate) for rate in rates]
    seeds = estimates.comparable_seeds(*((m, v) for m in methods for v in (NONE, *variants)))
    if not seeds or not variants:
        return None
    of = {
        "miou": estimates.miou_values,
        "mean_loss": estimates.loss_values,
        "mean_drop_ratio": estimates.ratio_values,
    }[claim.quantity]
    better, worse = (_mean([of(m, v, seeds) for v in variants]) for m in methods)
    difference = better - worse if claim.quantity == "miou" else worse - better
    return estimates.of(difference), len(seeds), tuple(rates)


def _mean(values: Sequence[Values]) -> Values:
    mean: Values = np.mean(values, axis=0)
    return mean
