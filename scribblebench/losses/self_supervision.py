"""Self-supervision: an image and its transform should agree, on the eigenspace of the walk or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from scribblebench.core.cards import NonNegative, Share
from scribblebench.core.errors import UserError
from scribblebench.losses import LOSSES
from scribblebench.ops.cells import at_cells
from scribblebench.ops.eigenspace import compare
from scribblebench.ops.step import Given, Loss, LossValue, Output, Step
from scribblebench.ops.transforms import Choice, Transform, choose
from scribblebench.ops.walk import Energies

Location = Literal["eigenspace", "before", "after", "logits"]


@LOSSES.register
class SelfSupervision(Loss, frozen=True):
    """Difference between the transformed representation of an image and that of the transformed image.

    The transformed image is the target and has no gradient. On the eigenspace (Eq. 8) the difference is
    KL(P of the transformed image || transformed P) plus ``trace`` times the difference of the traces.

    Attributes:
        on: where they should agree. ``eigenspace``: the walk's transition matrix; ``before`` and ``after``:
            the representation on that side of the walk, by mean squared error; ``logits``: the class
            probabilities of a cell, by the same divergence (a control, not in the paper).
        transform: ``flip``, ``translation`` (vertical, by a crop), ``random`` (one of the two per batch) or
            ``both`` composed.
        trace: the paper's gamma; 0 leaves the traces alone, which equal matrices share anyway.
        trace_reduction: ``sum`` is the trace itself; ``mean`` divides it by the number of cells.
        reduction: ``rows`` is the mean divergence of a row in nats; ``entries`` divides by the number of
            columns once more, as the authors' code does (with a weight of 30: 30 / 3481 = 0.0086 per row).
        share: share of the image's height that a translation takes out of view; a sixth is the authors' 80
            of 465 pixels.
        include_padding: compare padded cells too, as the paper seems to.
        update_statistics: let the transformed images update BatchNorm statistics, as in the authors' code.
    """

    on: Location = "eigenspace"
    transform: Choice = "random"
    trace: NonNegative = 0.01
    trace_reduction: Literal["sum", "mean"] = "sum"
    reduction: Literal["rows", "entries"] = "rows"
    share: Share = 1 / 6
    include_padding: bool = False
    update_statistics: bool = False

    def needs(self) -> frozenset[str]:
        """On the eigenspace, a walk (see ``Loss``)."""
        return frozenset({"walk"}) if self.on == "eigenspace" else frozenset()

    def check(self, given: Given) -> None:
        """Look whether cells can be moved onto each other, too (see ``Loss``)."""
        super().check(given)
        if self.on == "eigenspace":
            _pixels_per_cell(given.side, given.walk_cells)

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step; runs the network once more, without gradient.

        Raises:
            UserError: the network has no walk and the eigenspace is asked for, or its cells do not lie a
                whole number of pixels apart, so that no crop moves them onto each other.
        """
        height, width = step.output.before.shape[-2:]
        if self.on == "eigenspace":
            height, width = _grid_of_walk(step.output)
        transform = choose(self.transform, height, self.share, step.draw)
        stride = _pixels_per_cell(step.images.shape[-2], height)
        until, difference = _LOCATIONS[self.on]
        target = step.forward(
            transform(step.images, stride), until=until, update_statistics=self.update_statistics
        )
        in_view = None if self.include_padding else at_cells(step.valid, height, width)
        return difference(self, step.output, target, transform, in_view)


def _pixels_per_cell(side: int, cells: int) -> int:
    stride, rest = divmod(side - 1, max(1, cells - 1))
    if rest:
        raise UserError(
            f"self_supervision cannot align {cells} rows of cells with {side} pixels: "
            f"choose a crop of k x {cells - 1} + 1 pixels, or another walk_stride."
        )
    return stride


def _grid_of_walk(output: Output) -> tuple[int, int]:
    return _walk(output).height, _walk(output).width


def _walk(output: Output) -> Energies:
    if output.energies is None:
        raise UserError(
            "self_supervision on the eigenspace needs a network with a walk: "
            "give the method's network 'head: random_walk', or the loss 'on: before'."
        )
    return output.energies


def _eigenspace(
    loss: SelfSupervision, output: Output, target: Output, transform: Transform, in_view: Tensor | None
) -> LossValue:
    rows = compare(_walk(output), _walk(target), transform, in_view)
    cells = rows.in_view.sum(dim=1).clamp(min=1)
    total = rows.divergence.sum()
    gap = (rows.diagonal.sum(dim=1) - rows.target_diagonal.sum(dim=1)).abs()
    trace = (gap / cells if loss.trace_reduction == "mean" else gap).mean()
    compared = cells if loss.reduction == "rows" else cells.square()
    logs = {"divergence": total.detach() / cells.sum(), "trace": trace.detach()}
    return LossValue(total / compared.sum() + loss.trace * trace, logs)


def _before(
    loss: SelfSupervision, output: Output, target: Output, transform: Transform, in_view: Tensor | None
) -> LossValue:
    return _squared_error(output.before, target.before, transform, in_view)


def _after(
    loss: SelfSupervision, output: Output, target: Output, transform: Transform, in_view: Tensor | None
) -> LossValue:
    return _squared_error(_given(output.after), _given(target.after), transform, in_view)


def _logits(
    loss: SelfSupervision, output: Output, target: Output, transform: Transform, in_view: Tensor | None
) -> LossValue:
    original = torch.log_softmax(transform(_given(output.logits)).float(), dim=1)
    other = torch.log_softmax(_given(target.logits).detach().float(), dim=1)
    value = _mean((other.exp() * (other - original)).sum(dim=1), transform, in_view)
    return LossValue(value, {"divergence": value.detach()})


def _squared_error(
    original: Tensor, target: Tensor, transform: Transform, in_view: Tensor | None
) -> LossValue:
    error = (transform(original).float() - target.detach().float()).square().mean(dim=1)
    value = _mean(error, transform, in_view)
    return LossValue(value, {"squared_error": value.detach()})


def _mean(values: Tensor, transform: Transform, in_view: Tensor | None) -> Tensor:
    if in_view is None:
        return values.mean()
    shown = transform(in_view)
    return (values * shown).sum() / shown.sum().clamp(min=1)


def _given(maps: Tensor | None) -> Tensor:
    if maps is None:
        raise ValueError("the network stopped before the location that self_supervision compares")
    return maps


_Difference = Callable[[SelfSupervision, Output, Output, Transform, Tensor | None], LossValue]
# Location -> how far the second pass runs, and the difference there.
_LOCATIONS: Mapping[Location, tuple[str, _Difference]] = MappingProxyType(
    {
        "eigenspace": ("energies", _eigenspace),
        "before": ("energies", _before),
        "after": ("after", _after),
        "logits": ("logits", _logits),
    }
)
