"""Estimates with intervals for one group: mIoU, loss and drop ratio of every method and variant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from scribblebench.report.bootstrap import Values, image_weights, resampled_miou, seed_weights
from scribblebench.report.collect import NONE, Cell, Group, Variant
from scribblebench.report.convergence import is_flat
from scribblebench.report.intervals import Estimate
from scribblebench.report.published import Claim


class Estimates:
    """What can be said about a group, from its per-image confusion matrices alone.

    Losses and ratios compare cells of the same seeds: those that all cells involved share. The ratio of
    several seeds is that of their mean mIoUs.

    Args:
        group: the cells.
        resamples: how many bootstrap resamples.
        converged_only: keep cells whose training loss still fell out of losses, ratios and comparisons; their
            mIoU is shown all the same.
        claims: inequalities to be tested.
    """

    def __init__(
        self, group: Group, resamples: int, *, converged_only: bool = False, claims: Sequence[Claim] = ()
    ) -> None:
        self.group = group
        self.resamples = resamples
        self.converged_only = converged_only
        self.claims = claims
        self._cells: dict[tuple[str, Variant, int, bool], Values] = {}

    @cached_property
    def images(self) -> int:
        """Number of validation images."""
        return max((len(cell.ids) for cell in self.group.cells), default=0)

    @cached_property
    def _weights(self) -> Values:
        return image_weights(self.images, self.resamples)

    def seeds(self, *cells: tuple[str, Variant]) -> list[int]:
        """List the seeds for which all these (method, variant) are done."""
        done = [{c.record.seed for c in self.group.at(*cell) if c.done} for cell in cells]
        return sorted(set.intersection(*done)) if done else []

    def comparable_seeds(self, *cells: tuple[str, Variant]) -> list[int]:
        """List the seeds whose cells at all these (method, variant) may be compared with each other."""
        done = self.seeds(*cells)
        return [seed for seed in done if not self._falling(seed, cells)] if self.converged_only else done

    def falling(self, method: str, variant: Variant) -> int:
        """Count the seeds of a drop ratio in which either cell's training loss had not come to rest."""
        cells = ((method, variant), (method, NONE))
        if variant == NONE:
            return 0
        return sum(self._falling(seed, cells) for seed in self.seeds(*cells))

    def _falling(self, seed: int, cells: Sequence[tuple[str, Variant]]) -> bool:
        return any(not is_flat(self._at(*cell, seed).record) for cell in cells)

    def rates(self, kind: str, *methods: str) -> list[float]:
        """List the rates of a kind at which all these methods can be compared with their undegraded cells."""
        return [
            rate
            for rate in self.group.rates(kind)
            if self.comparable_seeds(*((m, v) for m in methods for v in (NONE, Variant(kind, rate))))
        ]

    def miou(self, method: str, variant: Variant) -> Estimate | None:
        """Mean IoU over the method's seeds, as a fraction; None where no cell is done."""
        seeds = self.seeds((method, variant))
        return self.fraction(self.miou_values(method, variant, seeds)) if seeds else None

    def miou_crf(self, method: str, variant: Variant) -> Estimate | None:
        """Mean IoU after the CRF over the method's seeds; None where nothing was refined."""
        seeds = self._refined(method, variant)
        return self.fraction(self.miou_values(method, variant, seeds, crf=True)) if seeds else None

    def crf_gain(self, method: str, variant: Variant) -> Estimate | None:
        """Mean IoU after the CRF less that before it, of the same predictions: paired by image and seed."""
        seeds = self._refined(method, variant)
        if not seeds:
            return None
        plain, refined = (self.miou_values(method, variant, seeds, crf=crf) for crf in (False, True))
        return self.of(refined - plain)

    def drop_ratio(self, method: str, variant: Variant) -> Estimate | None:
        """``(m0 - m) / m0`` (Table 4); None without two cells to compare, and for the undegraded variant."""
        seeds = self.comparable_seeds((method, variant), (method, NONE))
        if variant == NONE or not seeds:
            return None
        return self.of(self.ratio_values(method, variant, seeds))

    def miou_values(
        self, method: str, variant: Variant, seeds: Sequence[int], *, crf: bool = False
    ) -> Values:
        """Mean IoU over some seeds, without or with the CRF: (1 + seeds, 1 + resamples) as in `bootstrap`."""
        cells = np.stack([self._cell(method, variant, seed, crf) for seed in seeds])
        values: Values = seed_weights(len(seeds)) @ cells
        return values

    def loss_values(self, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
        """``m0 - m``: the estimate and its resamples, shaped as the mean IoU's."""
        return self.miou_values(method, NONE, seeds) - self.miou_values(method, variant, seeds)

    def ratio_values(self, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
        """``(m0 - m) / m0``: the estimate and its resamples; 0 where m0 is 0."""
        undegraded = self.miou_values(method, NONE, seeds)
        loss = self.loss_values(method, variant, seeds)
        ratio: Values = np.divide(loss, undegraded, out=np.zeros_like(loss), where=undegraded > 0)
        return ratio

    def area_values(self, method: str, kind: str, seeds: Sequence[int]) -> Values:
        """Area under the curve of mIoU against the rate, from undegraded scribbles to the highest rate.

        By the trapezoid rule, over the width: the mean mIoU of all rates alike, however they are spaced.
        """
        curve = self.group.columns(kind)
        heights = np.stack([self.miou_values(method, variant, seeds) for variant in curve])
        widths = np.diff([variant.rate for variant in curve])
        # Not scipy.integrate: it takes a second to import.
        area: Values = np.tensordot(widths, (heights[1:] + heights[:-1]) / 2, axes=1) / widths.sum()
        return area

    def of(self, values: Values) -> Estimate:
        """Read an estimate and its interval off values such as the other methods give."""
        return Estimate.of(values, self.images)

    def fraction(self, values: Values) -> Estimate:
        """Do the same of values that lie between 0 and 1."""
        return Estimate.of(values, self.images, least=0, most=1)

    def _refined(self, method: str, variant: Variant) -> list[int]:
        """List the seeds that have numbers after a CRF."""
        return sorted(
            cell.record.seed for cell in self.group.at(method, variant) if cell.scored_crf is not None
        )

    def _cell(self, method: str, variant: Variant, seed: int, crf: bool) -> Values:
        key = (method, variant, seed, crf)
        if key not in self._cells:
            cell = self._at(method, variant, seed)
            scored = cell.scored_crf if crf else cell.scored
            if scored is None:
                raise ValueError(f"{cell.record.slug} has no result")
            self._cells[key] = resampled_miou(*scored, self._weights)
        return self._cells[key]

    def _at(self, method: str, variant: Variant, seed: int) -> Cell:
        (cell,) = (c for c in self.group.at(method, variant) if c.record.seed == seed)
        return cell
