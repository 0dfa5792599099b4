"""Which method is best at each rate, by how much, and from which it cannot be told apart.

A difference is that of mIoUs on the seeds that both methods share, paired by image and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scribblebench.report.bootstrap import Values
from scribblebench.report.collect import NONE, Variant
from scribblebench.report.comparisons import ALPHA, LEAST_SEEDS
from scribblebench.report.estimates import Estimates
from scribblebench.report.intervals import Estimate, holm_where_tested

# Gives a quantity of a method on some seeds: the mIoU of a variant, or the area under a curve.
Quantity = Callable[[str, Sequence[int]], Values]


@dataclass(frozen=True)
class Standing:
    """One method among all at one rate, or over all rates of a kind.

    Attributes:
        method: which.
        value: the mIoU, or the area under its curve; None where it was not measured.
        seeds: how many seeds the value rests on.
        gain: how much it is above the baseline; None for the baseline, and without a shared seed.
        gain_seeds: how many seeds both share.
        p: two-sided, of the gain; None with one seed.
        best: whether no other has a higher value.
        tied: whether a test cannot tell it from the best (Holm over all compared with that one).
        untested: whether it shares too few seeds with the best to be tested.
    """

    method: str
    value: Estimate | None
    seeds: int = 0
    gain: Estimate | None = None
    gain_seeds: int = 0
    p: float | None = None
    best: bool = False
    tied: bool = False
    untested: bool = False


def baseline(methods: Sequence[str]) -> str:
    """Name the method that others are compared with: ``baseline`` where there is one, else the first."""
    return next((m for m in methods if m == "baseline"), methods[0] if methods else "")


def compared(estimates: Estimates) -> dict[str, list[str]]:
    """Kind -> methods to set beside each other; all are on ``none`` if some were run on nothing else."""
    group = estimates.group
    degraded = {kind: list(group.on(kind)) for kind in group.kinds}
    covered = {method for methods in degraded.values() for method in methods}
    alone = {} if covered >= set(group.methods) else {NONE.kind: list(group.methods)}
    return alone | degraded


def standings(estimates: Estimates, variant: Variant, methods: Sequence[str]) -> list[Standing]:
    """Rank methods by their mIoU on a variant; in the order given."""

    def seeds(*chosen: str) -> list[int]:
        return estimates.seeds(*((m, variant) for m in chosen))

    return _ranked(estimates, methods, seeds, lambda m, shared: estimates.miou_values(m, variant, shared))


def robustness(estimates: Estimates, kind: str, methods: Sequence[str]) -> list[Standing]:
    """Rank methods by the area under their curve of one kind: those measured at every rate of it."""
    curve = [NONE, *(Variant(kind, rate) for rate in estimates.group.rates(kind))]

    def seeds(*chosen: str) -> list[int]:
        return estimates.seeds(*((m, v) for m in chosen for v in curve))

    return _ranked(estimates, methods, seeds, lambda m, shared: estimates.area_values(m, kind, shared))


def _ranked(
    e: Estimates, methods: Sequence[str], seeds: Callable[..., list[int]], quantity: Quantity
) -> list[Standing]:
    values = {m: e.fraction(quantity(m, own)) for m in methods if (own := seeds(m))}
    if not values:
        return [Standing(m, None) for m in methods]
    best = max(values, key=lambda m: values[m].value)
    reference = baseline(methods)

    def gain(method: str, over: str) -> tuple[Estimate | None, int]:
        shared = seeds(method, over)
        if not shared or method == over:
            return None, len(shared)
        return e.of(quantity(method, shared) - quantity(over, shared)), len(shared)

    beside = _beside_best({m: gain(m, best) for m in values if m != best})
    rows = []
    for method in methods:
        found, shared = gain(method, reference)
        rows.append(
            Standing(
                method,
                values.get(method),
                len(seeds(method)),
                found,
                shared,
                tested_p(found, shared),
                method == best,
                beside.get(method) == "tied",
                beside.get(method) == "untested",
            )
        )
    return rows


def tested_p(difference: Estimate | None, seeds: int) -> float | None:
    """Give the two-sided p of a difference, None where there are too few seeds to test it."""
    return difference.p if difference is not None and seeds >= LEAST_SEEDS else None


def _beside_best(gains: dict[str, tuple[Estimate | None, int]]) -> dict[str, str]:
    """Say of each method but the best whether it is ``apart`` from that, ``tied`` or ``untested``."""
    adjusted = holm_where_tested([tested_p(*gain) for gain in gains.values()])
    verdicts = ("untested" if p is None else "tied" if p >= ALPHA else "apart" for p in adjusted)
    return dict(zip(gains, verdicts, strict=True))
