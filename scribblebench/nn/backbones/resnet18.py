"""ResNet-18."""

from __future__ import annotations

from scribblebench.nn.backbones import BACKBONES, Backbone, Trunk
from scribblebench.nn.backbones._resnet import resnet


@BACKBONES.register
class ResNet18(Backbone, frozen=True):
    """torchvision's ResNet-18."""

    def build(self, output_stride: int) -> Trunk:
        """Build the trunk (see ``Backbone``)."""
        return resnet("resnet18", output_stride)
