"""The baseline: the random-walk network without the walk."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.nn.initial import seeded
from scribblebench.nn.statistics import frozen_statistics
from scribblebench.ops.step import Output, at_least_float32


@HEADS.register
class Plain(Head, frozen=True):
    """3 x 3 reduction, dropout and a 1 x 1 classifier, so that +RW adds the walk and nothing else.

    The authors' own baseline (``aspp``) differs from their random-walk network in more than the walk.

    Attributes:
        conv_after: one more 3 x 3 convolution before the classifier, for walks that have one.
    """

    conv_after: bool = False

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        head = PlainHead(spec)
        if self.conv_after:
            with seeded("conv_after", spec.seed):
                head.conv_after = conv_bn_relu(spec.width, spec.width, kernel=3)
        return head


class PlainHead(nn.Module):
    """Features to representation to logits."""

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__()
        self.reduction = conv_bn_relu(spec.channels, spec.width, kernel=3)
        self.conv_after: nn.Module = nn.Identity()
        self.dropout = nn.Dropout2d(spec.dropout)
        self.classifier = nn.Conv2d(spec.width, spec.classes, kernel_size=1)

    def forward(self, features: Tensor, until: Until = "logits") -> Output:
        """Compute f^{L-1}, which is f^L here, and the logits."""
        before = self.reduction(features)
        if until == "energies":
            return Output(before)
        if until == "after":
            return Output(before, after=before)
        return Output(before, after=before, logits=self.classify(before))

    def classify(self, after: Tensor) -> Tensor:
        """Logits from f^L."""
        logits: Tensor = self.classifier(self.dropout(self.conv_after(after)))
        return logits

    def posteriors(self, representation: Tensor) -> Tensor:
        """Class probabilities of every cell, without dropout and without gradient.

        BatchNorm's running statistics stay as they are.
        """
        with frozen_statistics(self):
            logits = self.classifier(self.conv_after(representation))
        # Not no_grad: autocast would keep weights without gradient for the pass that needs one.
        return torch.softmax(at_least_float32(logits.detach()), dim=1)


def conv_bn_relu(channels: int, out: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, BatchNorm and ReLU.

    The BatchNorm also takes the scale out of the trunk's features, whose standard deviation is anywhere
    between 1 and 6 for MobileNetV2.
    """
    conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2 * dilation, dilation=dilation, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))
