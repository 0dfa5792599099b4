"""ResNet-50."""

from __future__ import annotations

from scribblebench.nn.backbones import BACKBONES, Backbone, Trunk
from scribblebench.nn.backbones._resnet import resnet


@BACKBONES.register
class ResNet50(Backbone, frozen=True):
    """torchvision's ResNet-50."""

    def build(self, output_stride: int) -> Trunk:
        """Build the trunk (see ``Backbone``)."""
        return resnet("resnet50", output_stride)
