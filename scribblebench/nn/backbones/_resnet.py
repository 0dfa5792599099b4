"""ResNets (He et al. 2016) as torchvision builds them, at output stride 8 or 16."""

from __future__ import annotations

from scribblebench.nn.backbones import Published, Trunk
from scribblebench.nn.backbones._dilate import dilate
from scribblebench.ops.vision import torchvision


def resnet(model: str, output_stride: int) -> Trunk:
    """Build a torchvision ResNet without pooling and classifier.

    torchvision itself refuses to dilate the basic blocks of the small ones.

    Args:
        model: its name in ``torchvision.models``.
        output_stride: 8 or 16.
    """
    network = torchvision("models").get_model(model, weights=None)
    channels = network.fc.in_features
    parts = {name: part for name, part in network.named_children() if name not in ("avgpool", "fc")}
    dilation = dilate(parts.values(), output_stride)
    return Trunk(parts, channels, list(network.layer4), dilation, Published(model, unused=("fc.",)))
