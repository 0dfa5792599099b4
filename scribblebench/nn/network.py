"""A network as cards describe it: a trunk and a head, on one scale of the image or on several."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from scribblebench.core.cards import MethodCard, ProtocolCard
from scribblebench.core.errors import UserError
from scribblebench.nn.backbones import BACKBONES, Trunk
from scribblebench.nn.heads import HEADS, HeadSpec
from scribblebench.nn.heads import Until as Until
from scribblebench.nn.initial import seeded
from scribblebench.nn.scales import fused, rescaled
from scribblebench.nn.statistics import frozen_statistics as frozen_statistics
from scribblebench.nn.statistics import norms
from scribblebench.ops.step import Output


class Network(nn.Module):
    """A trunk and a head.

    Args:
        trunk: images to features.
        head: features to an output.
        freeze_batch_norm: keep the trunk's BatchNorm as it is, statistics and affine parameters, in
            training too.
        sees_images: give the head the images as well (see ``Head``).
        scales: of the images, besides 1, at which it runs too.
        stride: pixels per cell of the trunk's grid.
    """

    def __init__(
        self,
        trunk: Trunk,
        head: nn.Module,
        freeze_batch_norm: bool = False,
        sees_images: bool = False,
        scales: Sequence[float] = (),
        stride: int = 1,
    ) -> None:
        super().__init__()
        self.trunk = trunk
        self.head = head
        self._sees_images = sees_images
        self._scales = scales
        self._stride = stride
        self._frozen = norms(trunk) if freeze_batch_norm else []
        for norm in self._frozen:
            norm.requires_grad_(requires_grad=False)

    def forward(self, images: Tensor, until: Until = "logits") -> Output:
        """Run the network, or the part of it that is asked for.

        Args:
            images: normalised, (batch, 3, h, w).
            until: where to stop (see ``Output``).
        """
        output = self._run(images, until)
        if until != "logits" or not self._scales:
            return output
        views = (rescaled(images, scale, self._stride) for scale in self._scales)
        return fused(output, [self._run(view, until).logits for view in views])

    def _run(self, images: Tensor, until: Until) -> Output:
        also = (images,) if self._sees_images else ()
        output: Output = self.head(self.trunk(images), until, *also)
        return output

    def train(self, mode: bool = True) -> Network:
        """Switch between training and evaluation; frozen BatchNorm always evaluates."""
        super().train(mode)
        for norm in self._frozen:
            norm.eval()
        return self

    def backbone_parameters(self) -> list[nn.Parameter]:
        """The trunk's trainable parameters."""
        return [p for p in self.trunk.parameters() if p.requires_grad]

    def head_parameters(self) -> list[nn.Parameter]:
        """The head's trainable parameters."""
        return [p for p in self.head.parameters() if p.requires_grad]


def build_network(protocol: ProtocolCard, method: MethodCard, classes: int, seed: int) -> Network:
    """Build a network with random weights, on the CPU; ``load_weights`` gives its trunk better ones.

    The weights depend on nothing but the cards and the seed, and the parts that two methods share start
    alike: the trunk is drawn first, then what every head has, then what only some have.

    Args:
        protocol: names the backbone, output stride, width and dropout.
        method: names the head and its options.
        classes: number of classes.
        seed: the training seed.

    Raises:
        UserError: the method names no head, or an option that its head does not have.
        UnknownNameError: no such backbone or head.
    """
    options = dict(method.network)
    if not isinstance(name := options.pop("head", None), str):
        raise UserError(f"Method '{method.name}' names no head. Add 'head: plain' to its network.")
    head = HEADS.build(name, options, f"method '{method.name}'")
    backbone = BACKBONES.build(protocol.backbone, {}, f"protocol '{protocol.name}'")
    stride = protocol.output_stride
    with seeded("network", seed):
        trunk = backbone.build(stride)
        if head.multi_grid:
            trunk.apply_multi_grid()
        spec = HeadSpec(trunk.channels, protocol.head_width, classes, protocol.dropout, seed, stride)
        frozen, scales = protocol.freeze_batch_norm, head.scales[1:]
        return Network(trunk, head.build(spec), frozen, head.sees_images, scales, stride)


def parameter_counts(network: Network) -> dict[str, int]:
    """Count parameters of the trunk, of the walk, and of the head without the walk."""
    counts = {"trunk": 0, "head": 0, "walk": 0}
    for name, parameter in network.named_parameters():
        counts["walk" if name.startswith("head.walk.") else name.partition(".")[0]] += parameter.numel()
    return counts
