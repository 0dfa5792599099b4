"""What a loss sees of one training step, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from scribblebench.core.errors import UserError
from scribblebench.core.registry import Part
from scribblebench.ops.cells import between_cells
from scribblebench.ops.walk import Energies


@dataclass(frozen=True)
class Output:
    """What a network computes from a batch of images.

    Attributes:
        before: f^{L-1}, the representation before the walk, (batch, channels, h, w).
        energies: the walk's factors, or None where there is no walk.
        alpha: the walk's learned weight, or None where there is no walk.
        after: f^L, the representation after the walk (``before`` itself where there is no walk), or None
            where the network was asked to stop at the energies.
        logits: (batch, classes, h, w) at the network's own grid, or None where it was asked to stop before.
        features: what else a head gives its losses in training, by name, (batch, any number, h, w) each.
        scales: where the network looks at several scales of the images, the logits of each, at their own
            grids; ``logits`` is the largest of them.
    """

    before: Tensor
    energies: Energies | None = None
    alpha: Tensor | None = None
    after: Tensor | None = None
    logits: Tensor | None = None
    features: Mapping[str, Tensor] = field(default_factory=dict)
    scales: tuple[Tensor, ...] = ()


def _no_average(images: Tensor, decay: float) -> Output:
    raise TypeError("there is no training whose network could be averaged")


@dataclass(frozen=True)
class Step:
    """One training step.

    Attributes:
        images: normalised images, (batch, 3, side, side); 0 where padded.
        labels: class indices or the ignore index, long (batch, side, side).
        valid: False on padding, bool (batch, side, side).
        output: what the network made of ``images``.
        forward: run the network on other images without gradient: ``forward(images, until="energies")``
            stops there, ``"after"`` and ``"logits"`` go on. BatchNorm statistics stay as they are unless
            ``update_statistics=True`` is given, as in the authors' code.
        ignore_index: the label of pixels that carry no class.
        draw: one uniform number in [0, 1) of this step, by name.
        ids: of the images.
        tags: the classes that each whole image is said to hold, bool (batch, classes); a crop may show fewer.
            The background is said to be there unless strokes or masks leave it out.
        epoch: from 0.
        memory: tensors that live as long as the training and are kept with its weights, by a name of the
            loss's own.
        averaged: run the moving average of the network's states over the steps in which it was asked for,
            ``averaged(images, decay)``, without gradient and as in evaluation (a "mean teacher").
        memo: what losses compute once between them in this step, by what it is.
        read_told: makes ``told``, where a stage has other labels; None where it has not.
    """

    images: Tensor
    labels: Tensor
    valid: Tensor
    output: Output
    forward: Callable[..., Output]
    ignore_index: int
    draw: Callable[[str], float]
    ids: Sequence[str] = ()
    tags: Tensor = field(default_factory=lambda: torch.zeros(0, 0, dtype=torch.bool))
    epoch: int = 0
    memory: dict[str, Tensor] = field(default_factory=dict)
    averaged: Callable[[Tensor, float], Output] = _no_average
    memo: dict[Hashable, Any] = field(default_factory=dict)
    read_told: Callable[[], Tensor] | None = None

    @cached_property
    def told(self) -> Tensor:
        """The label map that the method is told, whatever labels its stage has; of the form of ``labels``."""
        return self.labels if self.read_told is None else self.read_told()

    @cached_property
    def logits(self) -> Tensor:
        """The output's logits at every pixel, float32 or float64 (batch, classes, side, side)."""
        side = self.labels.shape[-2:]
        return interpolate(self.network_logits, side, mode="bilinear", align_corners=True)

    def logits_at(self, pixels: Tensor) -> Tensor:
        """What ``logits`` holds at some pixels, without making the others.

        Args:
            pixels: bool (batch, side, side).

        Returns:
            float32 (pixels, classes), in row-major order.
        """
        return between_cells(self.network_logits, pixels)

    @property
    def network_logits(self) -> Tensor:
        """The output's logits at the network's own grid, float32 or float64 (batch, classes, h, w)."""
        logits = self.output.logits
        if logits is None:
            raise TypeError("a network that was asked for logits gave none")
        return at_least_float32(logits)


def at_least_float32(maps: Tensor) -> Tensor:
    """Widen what autocast has narrowed, and leave float64 alone."""
    return maps.to(torch.promote_types(maps.dtype, torch.float32))


@dataclass(frozen=True)
class LossValue:
    """A loss's answer.

    Attributes:
        value: a scalar with gradient.
        logs: scalars worth following over the run, detached, on the device (no synchronisation here). The
            names ``epoch``, ``rate`` and ``loss`` are the trainer's own.
    """

    value: Tensor
    logs: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What a method's network and a protocol give its losses, known before anything is trained.

    Attributes:
        gives: what the network has besides logits, such as ``walk``.
        by: the network's head, for messages.
        side: side of a training crop in pixels.
        walk_cells: rows of the walk's grid on such a crop; 0 where there is no walk.
    """

    gives: frozenset[str]
    by: str
    side: int
    walk_cells: int = 0


class Loss(Part, frozen=True):
    """A loss: a frozen struct whose fields are the options a card may give it, and a call."""

    def needs(self) -> frozenset[str]:
        """Return what the network must have besides logits, under these options."""
        return frozenset()

    def check(self, given: Given) -> None:
        """Look whether the loss can act at all, before anything is trained.

        Raises:
            UserError: it needs what the network does not give.
        """
        if lacking := sorted(self.needs() - given.gives):
            raise UserError(
                f"it needs the network's {' and '.join(lacking)}, which 'head: {given.by}' does not give. "
                "Name another head, or give the loss other options."
            )

    def __call__(self, step: Step) -> LossValue:
        """Compute the loss of one step."""
        raise TypeError(f"{type(self).__name__} does not say how it is computed")
