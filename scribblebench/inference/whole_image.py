"""The whole image in one pass, or in one pass a scale."""

from __future__ import annotations

from statistics import median_low

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from scribblebench.inference import INFERENCES, Inference, Network, Scales
from scribblebench.ops.resize import resized


@INFERENCES.register
class WholeImage(Inference, frozen=True):
    """Average the probabilities over scales, and over a mirrored copy if asked for.

    Attributes:
        scales: zooms of the image; one pass each.
        flip: add a mirrored pass at each scale.
    """

    rule = 2
    scales: Scales = (1.0,)
    flip: bool = False

    @property
    def zoom(self) -> float:
        """The middle one of the scales (see ``Inference``)."""
        return median_low(self.scales)

    @property
    def one_pass(self) -> bool:
        """One scale, 1, and nothing mirrored (see ``Inference``)."""
        return self.scales == (1.0,) and not self.flip

    def __call__(self, network: Network, images: Tensor, stride: int) -> Tensor:
        """Compute class probabilities (see ``Inference``)."""
        size = images.shape[-2:]
        total = torch.zeros(())
        for scale in self.scales:
            scaled = resized(images, scale)
            views = [scaled, scaled.flip(-1)] if self.flip else [scaled]
            for mirrored, view in enumerate(views):
                scores = probabilities(network, view, stride)
                scores = scores.flip(-1) if mirrored else scores
                if scores.shape[-2:] != size:
                    scores = interpolate(scores, size, mode="bilinear", align_corners=False)
                total = scores if total.ndim == 0 else total + scores
        return total / (len(self.scales) * (1 + self.flip))

    def scores(self, network: Network, images: Tensor, stride: int) -> Tensor:
        """Compute logits where there is one pass at scale 1, else probabilities (see ``Inference``)."""
        if self.one_pass:
            return logits(network, images, stride)
        return self(network, images, stride)


def probabilities(network: Network, images: Tensor, stride: int) -> Tensor:
    """Return class probabilities at the images' own size (see ``logits``)."""
    # Over the last axis, which the memory's order makes it: twice as fast on a CPU as across planes.
    return logits(network, images, stride).movedim(1, -1).softmax(dim=-1).movedim(-1, 1)


def logits(network: Network, images: Tensor, stride: int) -> Tensor:
    """Pad images to ``k * stride + 1``, run the network, and return its logits at their own size.

    Args:
        network: images to logits on the network's own grid.
        images: normalised, (batch, 3, h, w).
        stride: the network's output stride.
    """
    height, width = images.shape[-2:]
    extra_height, extra_width = (-(side - 1) % stride for side in (height, width))
    padded = pad(images, (0, extra_width, 0, extra_height))
    small = network(padded).float().contiguous(memory_format=torch.channels_last)
    full = interpolate(small, padded.shape[-2:], mode="bilinear", align_corners=True)
    return full[..., :height, :width]
