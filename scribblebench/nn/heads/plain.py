"""The baseline: the random-walk network without the walk."""

from __future__ import annotations

from torch import Tensor, nn

from scribblebench.nn.heads import HEADS, Head, HeadSpec, Until
from scribblebench.ops.step import Output


@HEADS.register
class Plain(Head, frozen=True):
    """3 x 3 reduction, dropout and a 1 x 1 classifier, so that +RW adds the walk and nothing else.

    The authors' own baseline (``aspp``) differs from their random-walk network in more than the walk.
    """

    def build(self, spec: HeadSpec) -> nn.Module:
        """Build the module (see ``Head``)."""
        return PlainHead(spec)


class PlainHead(nn.Module):
    """Features to representation to logits."""

    def __init__(self, spec: HeadSpec) -> None:
        super().__init__()
        self.reduction = conv_bn_relu(spec.channels, spec.width, kernel=3)
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
        logits: Tensor = self.classifier(self.dropout(after))
        return logits


def conv_bn_relu(channels: int, out: int, kernel: int, dilation: int = 1) -> nn.Sequential:
    """Convolution that keeps the size, BatchNorm and ReLU.

    The BatchNorm also takes the scale out of the trunk's features, whose standard deviation is anywhere
    between 1 and 6 for MobileNetV2.
    """
    conv = nn.Conv2d(channels, out, kernel, padding=kernel // 2 * dilation, dilation=dilation, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU(inplace=True))
