"""Estimates with intervals for one group: mIoU, loss and drop ratio of every method and variant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from scribblebench.report.bootstrap import Estimate, Values, image_weights, resampled_miou, seed_weights
from scribblebench.report.collect import NONE, Group, Variant


class Estimates:
    """What can be said about a group, from its per-image confusion matrices alone.

    Losses and ratios compare cells of the same seeds: those that all cells involved share. The ratio of
    several seeds is that of their mean mIoUs.

    Args:
        group: the cells.
        resamples: how many bootstrap resamples.
    """

    def __init__(self, group: Group, resamples: int) -> None:
        self.group = group
        self.resamples = resamples
        self._cells: dict[tuple[str, Variant, int], Values] = {}

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

    def rates(self, kind: str, *methods: str) -> list[float]:
        """List the rates of a kind at which all these methods share a seed with their undegraded cells."""
        return [
            rate
            for rate in self.group.rates(kind)
            if self.seeds(*((m, v) for m in methods for v in (NONE, Variant(kind, rate))))
        ]

    def miou(self, method: str, variant: Variant) -> Estimate | None:
        """Mean IoU over the method's seeds, as a fraction; None where no cell is done."""
        seeds = self.seeds((method, variant))
        return Estimate.of(self.miou_values(method, variant, seeds)) if seeds else None

    def drop_ratio(self, method: str, variant: Variant) -> Estimate | None:
        """``(m0 - m) / m0`` (Table 4); None where no seed has both cells, and for the undegraded variant."""
        seeds = self.seeds((method, variant), (method, NONE))
        if variant == NONE or not seeds:
            return None
        return Estimate.of(self.ratio_values(method, variant, seeds))

    def miou_values(self, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
        """Mean IoU over some seeds: the estimate, then its resamples."""
        weights = seed_weights(seeds, self.resamples)
        cells = np.stack([self._cell(method, variant, seed) for seed in seeds], axis=1)
        values: Values = (weights * cells).sum(axis=1)
        return values

    def loss_values(self, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
        """``m0 - m``: the estimate, then its resamples."""
        return self.miou_values(method, NONE, seeds) - self.miou_values(method, variant, seeds)

    def ratio_values(self, method: str, variant: Variant, seeds: Sequence[int]) -> Values:
        """``(m0 - m) / m0``: the estimate, then its resamples; 0 where m0 is 0."""
        undegraded = self.miou_values(method, NONE, seeds)
        loss = self.loss_values(method, variant, seeds)
        ratio: Values = np.divide(loss, undegraded, out=np.zeros_like(loss), where=undegraded > 0)
        return ratio

    def _cell(self, method: str, variant: Variant, seed: int) -> Values:
        key = (method, variant, seed)
        if key not in self._cells:
            (cell,) = (c for c in self.group.at(method, variant) if c.record.seed == seed)
            if cell.intersections is None or cell.unions is None:
                raise ValueError(f"{cell.record.slug} has no result")
            self._cells[key] = resampled_miou(cell.intersections, cell.unions, self._weights)
        return self._cells[key]
