"""Depthwise convolutions whose gradient is slow in bfloat16 on the CPU, by way of others that give the same.

Dilated or strided, a 3 x 3 depthwise convolution takes oneDNN 10 to 30 times as long over its gradient, in
bfloat16 only (torch 2.14: 25 ms instead of 1 ms for 8 x 960 x 11 x 11), and MobileNetV2 a third more over a
training step. ``benchmarks/depthwise.py`` measures it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, pad


class Depthwise(nn.Conv2d):
    """A depthwise convolution whose padding keeps sizes; parameters and results are ``nn.Conv2d``'s."""

    def forward(self, images: Tensor) -> Tensor:
        """Convolve (batch, channels, h, w)."""
        plain = self.stride == self.dilation == (1, 1)
        if plain or images.device.type != "cpu" or images.dtype != torch.bfloat16:
            return super().forward(images)
        weight = self.weight.to(images.dtype)
        with torch.autocast("cpu", enabled=False):
            return (_a_trous if self.stride == (1, 1) else _in_float32)(images, weight, self)

    @classmethod
    def adopt(cls, module: nn.Module) -> None:
        """Let the depthwise convolutions of a module compute in this way from now on, in place."""
        for layer in module.modules():
            if type(layer) is nn.Conv2d and layer.groups == layer.in_channels > 1 and layer.bias is None:
                layer.__class__ = cls


def _in_float32(images: Tensor, weight: Tensor, conv: Depthwise) -> Tensor:
    """Widen what is rounded already: the products are the same."""
    wide = conv2d(images.float(), weight.float(), None, conv.stride, conv.padding, conv.dilation, conv.groups)
    return wide.to(images.dtype)


def _a_trous(images: Tensor, weight: Tensor, conv: Depthwise) -> Tensor:
    """Convolve every ``dilation``-th pixel with its like: they never meet the others."""
    step = conv.dilation[0]
    height, width = images.shape[-2:]
    padded = pad(images, (0, -width % step, 0, -height % step)).permute(0, 2, 3, 1)
    batch, rows, columns, channels = padded.shape
    apart = padded.view(batch, rows // step, step, columns // step, step, channels).permute(2, 4, 0, 1, 3, 5)
    grids = apart.reshape(-1, rows // step, columns // step, channels).permute(0, 3, 1, 2)
    done = conv2d(grids, weight, None, padding=[side // 2 for side in conv.kernel_size], groups=conv.groups)
    together = done.permute(0, 2, 3, 1).reshape(apart.shape).permute(2, 3, 0, 4, 1, 5).reshape(padded.shape)
    return together[:, :height, :width].permute(0, 3, 1, 2)
