"""Inequalities such as the paper's, each tested on a group, corrected for their number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scribblebench.report.bootstrap import Estimate, Values, holm, one_sided_p
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.estimates import Estimates
from scribblebench.report.published import Claim

ALPHA = 0.05
# A resample of one or two seeds shows next to nothing of the spread between seeds: images alone would
# "separate" two seeds of one method.
LEAST_SEEDS = 3


@dataclass(frozen=True)
class Comparison:
    """One inequality tested.

    Attributes:
        claim: which.
        difference: how much better the one said to be better is, as a fraction; above 0 supports the claim.
        p: one-sided; None with fewer than three seeds, where nothing is tested.
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

    Those with at least three seeds are tested, and corrected for their number.
    """
    measured = [
        (claim, *found) for claim in estimates.claims if (found := _difference(estimates, claim)) is not None
    ]
    ps = [one_sided_p(values) if seeds >= LEAST_SEEDS else None for _, values, seeds, _ in measured]
    adjusted = iter(holm([p for p in ps if p is not None]))
    return [
        Comparison(claim, Estimate.of(values), p, None if p is None else next(adjusted), seeds, rates)
        for (claim, values, seeds, rates), p in zip(measured, ps, strict=True)
    ]


def _difference(estimates: Estimates, claim: Claim) -> tuple[Values, int, tuple[float, ...]] | None:
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
    better, worse = (np.mean([of(m, v, seeds) for v in variants], axis=0) for m in methods)
    difference = better - worse if claim.quantity == "miou" else worse - better
    return difference, len(seeds), tuple(rates)
