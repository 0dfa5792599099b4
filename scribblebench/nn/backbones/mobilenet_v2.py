"""MobileNetV2."""

from __future__ import annotations

from scribblebench.nn.backbones import BACKBONES, Backbone, Published, Trunk
from scribblebench.nn.backbones._depthwise import Depthwise
from scribblebench.nn.backbones._dilate import dilate
from scribblebench.ops.vision import torchvision


@BACKBONES.register
class MobileNetV2(Backbone, frozen=True):
    """torchvision's MobileNetV2 (Sandler et al. 2018) up to its last inverted residual, 320 channels.

    The 1 x 1 convolution to 1,280 channels behind it belongs to the ImageNet classifier: with it, the head's
    3 x 3 reduction would cost as much as all the rest.
    """

    def build(self, output_stride: int) -> Trunk:
        """Build the trunk (see ``Backbone``)."""
        features = torchvision("models").get_model("mobilenet_v2", weights=None).features[:18]
        dilation = dilate(features, output_stride)
        Depthwise.adopt(features)
        published = Published("mobilenet_v2", unused=("features.18.", "classifier."))
        return Trunk({"features": features}, 320, list(features[15:]), dilation, published)
