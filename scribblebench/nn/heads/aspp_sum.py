"""DeepLabV2's classifier: a sum of dilated convolutions straight to the classes."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from torch import Tensor, nn

from scribblebench.core.cards import Positive
from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.ops.step import Output

# The output stride to which the published rates belong.
_STRIDE = 8


@HEADS.register
class AsppSum(Head, frozen=True, kw_only=True):
    """Atrous spatial pyramid pooling as in DeepLabV2 (Chen et al. 2017): 3 x 3 branches, added up.

    The protocol's head width and dropout have no place in it.

    Attributes:
        rates: dilations of the branches at output stride 8; at 16 each is half of it, in pixels the same.
            Where a rate exceeds the grid, that branch is a 1 x 1 convolution.
    """

    rates: Annotated[tuple[Positive, ...], Meta(min_length=1)] = (6, 12, 18, 24)

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return AsppSumHead(spec, [max(1, round(rate * _STRIDE / spec.stride)) for rate in self.rates])


class AsppSumHead(nn.Module):
    """One dilated 3 x 3 convolution with bias a rate; weights start with deviation 0.01, biases at 0."""

    def __init__(self, spec: HeadSpec, rates: list[int]) -> None:
        super().__init__()
        shape = (spec.channels, spec.classes, 3)
        self.branches = nn.ModuleList(nn.Conv2d(*shape, padding=rate, dilation=rate) for rate in rates)
        for parameter in self.branches.parameters():
            nn.init.normal_(parameter, std=0.01 if parameter.ndim == 4 else 0.0)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute the logits; the trunk's features stand for the representation."""
        if until == "energies":
            return Output(features)
        if until == "after":
            return Output(features, after=features)
        logits = self.branches[0](features)
        for branch in self.branches[1:]:
            logits = logits + branch(features)
        return Output(features, after=features, logits=logits)
