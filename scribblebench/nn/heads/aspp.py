"""The authors' own baseline: atrous spatial pyramid pooling straight to the classes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.heads.plain import conv_bn_relu
from scribblebench.ops.step import Output


@HEADS.register
class Aspp(Head, frozen=True):
    """DeepLab's pyramid (Chen et al. 2017) with one map a class in each branch, on a multi-grid trunk.

    The model whose size the paper's Table 5 prints: ResNet-50 and 21 classes make 24,757,721 parameters.
    The protocol's head width and dropout have no place in it. It needs more than one image a batch.

    Attributes:
        rates: dilations of the 3 x 3 branches; the authors' fit output stride 8.
    """

    multi_grid: ClassVar[bool] = True
    rates: tuple[int, ...] = (12, 18, 24)

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return AsppHead(spec, self.rates)


class AsppHead(nn.Module):
    """A 1 x 1 branch, dilated ones and a pooled one, joined by a 1 x 1 convolution with BatchNorm."""

    def __init__(self, spec: HeadSpec, rates: tuple[int, ...]) -> None:
        super().__init__()
        branches = [conv_bn_relu(spec.channels, spec.classes, 1)]
        branches += [conv_bn_relu(spec.channels, spec.classes, 3, rate) for rate in rates]
        self.branches = nn.ModuleList(branches)
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv_bn_relu(spec.channels, spec.classes, 1))
        joint = spec.classes * (len(branches) + 1)
        self.join = nn.Sequential(
            nn.Conv2d(joint, spec.classes, kernel_size=1, bias=False), nn.BatchNorm2d(spec.classes)
        )

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute the logits; the trunk's features stand for the representation."""
        if until == "energies":
            return Output(features)
        if until == "after":
            return Output(features, after=features)
        maps = [branch(features) for branch in self.branches]
        maps.append(interpolate(self.pooled(features), features.shape[-2:], mode="nearest"))
        return Output(features, after=features, logits=self.join(torch.cat(maps, dim=1)))
