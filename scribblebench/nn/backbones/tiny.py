"""A residual network of 0.2 million parameters for small images on a CPU."""

from __future__ import annotations

from torch import Tensor, nn

from scribblebench.nn.backbones import BACKBONES, Backbone, Trunk
from scribblebench.nn.backbones._dilate import dilate


@BACKBONES.register
class Tiny(Backbone, frozen=True):
    """Strided stem and four residual blocks, 16 to 64 channels: most of the work happens on few cells."""

    def build(self, output_stride: int) -> Trunk:
        """Build the trunk (see ``Backbone``)."""
        parts: dict[str, nn.Module] = {
            "stem": nn.Sequential(_conv(3, 16, stride=2), nn.BatchNorm2d(16), nn.ReLU(inplace=True)),
            "block1": _Block(16, 32, stride=2),
            "block2": _Block(32, 64, stride=2),
            "block3": _Block(64, 64, stride=2),
            "block4": _Block(64, 64, stride=1),
        }
        dilation = dilate(parts.values(), output_stride)
        return Trunk(parts, 64, [parts["block3"], parts["block4"]], dilation)


class _Block(nn.Module):
    """Two 3 x 3 convolutions and a shortcut (He et al. 2016)."""

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _conv(channels, out, stride),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            _conv(out, out),
            nn.BatchNorm2d(out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != out:
            self.shortcut = nn.Sequential(_conv(channels, out, stride, kernel=1), nn.BatchNorm2d(out))

    def forward(self, features: Tensor) -> Tensor:
        """Add what the convolutions find to what was there."""
        return nn.functional.relu(self.residual(features) + self.shortcut(features), inplace=True)


def _conv(channels: int, out: int, stride: int = 1, kernel: int = 3) -> nn.Conv2d:
    conv = nn.Conv2d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv
