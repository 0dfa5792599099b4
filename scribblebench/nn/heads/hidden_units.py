"""``classifier`` with class maps of randomly drawn hidden units (FickleNet, Lee et al., CVPR 2019)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, ClassVar

import torch
from msgspec import Meta
from torch import Tensor, nn
from torch.nn.functional import conv2d, dropout, unfold

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec
from scribblebench.nn.heads.classifier import ClassifierHead
from scribblebench.nn.initial import seeded


@HEADS.register
class HiddenUnits(Head, frozen=True):
    """A convolution over windows, of whose units each window keeps its own few, before the class maps.

    The window's centre is always kept. What is kept counts 1 / (1 - rate) times as much, so that all units
    together give the mean; in evaluation they all count, unless ``selecting`` asks for draws.

    Attributes:
        window: side of the windows in cells, odd.
        rate: share of the units that are dropped.
    """

    gives: ClassVar[frozenset[str]] = frozenset({"activations"})

    window: Positive = 3
    rate: Annotated[float, Meta(ge=0, lt=1)] = 0.9

    def __post_init__(self) -> None:
        """Refuse windows without a centre."""
        super().__post_init__()
        if self.window % 2 == 0:
            raise ValueError(f"window: {self.window} is even, and has no cell in its middle")

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return HiddenUnitsHead(spec, self.window, self.rate)


class HiddenUnitsHead(ClassifierHead):
    """Class maps of what the random windows find."""

    def __init__(self, spec: HeadSpec, window: int, rate: float) -> None:
        super().__init__(spec)
        with seeded("hidden_units", spec.seed):
            self.selection = RandomWindows(spec.width, window, rate)

    def further(self, before: Tensor) -> dict[str, Tensor]:
        """Return what the head gives besides logits."""
        return {"activations": self.activations(self.selection(before).relu())}


class RandomWindows(nn.Module):
    """A convolution that keeps the size and, in training, drops units of each window by themselves.

    Windows are laid out side by side, as the publication does, so that one pass draws for all of them.
    """

    def __init__(self, channels: int, window: int, rate: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, channels, window, window))
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")
        self.rate = rate

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve, (batch, channels, h, w) to the same."""
        window = self.weight.shape[-1]
        if not self.training or self.rate == 0:
            return conv2d(maps, self.weight, padding=window // 2)
        units = unfold(maps, window, padding=window // 2)
        units = units.view(*maps.shape[:2], window * window, -1)
        kept = dropout(units, self.rate)
        kept[:, :, window * window // 2] = units[:, :, window * window // 2]
        return (self.weight.flatten(1) @ kept.flatten(1, 2)).view(len(maps), -1, *maps.shape[-2:])


@contextmanager
def selecting(network: nn.Module) -> Iterator[None]:
    """Let a network in evaluation mode draw hidden units in the block all the same."""
    windows = [module for module in network.modules() if isinstance(module, RandomWindows)]
    before = [module.training for module in windows]
    for module in windows:
        module.train()
    try:
        yield
    finally:
        for module, mode in zip(windows, before, strict=True):
            module.train(mode)
