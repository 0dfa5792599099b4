"""The CPU's way round slow gradients in bfloat16, against torch's own convolution in float32."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.backbones._depthwise import Depthwise

CHANNELS = 6


def _own_error() -> float:
    """Error of torch's plain convolution here, as a share of the largest value."""
    conv, images = make(1, 1), noise(2, CHANNELS, 13, 13).bfloat16()
    pairs = zip(run(conv, images), run(make(1, 1).float(), images.float()), strict=True)
    return max(float((ours.float() - theirs).abs().max() / theirs.abs().max()) for ours, theirs in pairs)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape) + sum(shape)))


def make(stride: int, dilation: int) -> nn.Conv2d:
    conv = nn.Conv2d(
        CHANNELS, CHANNELS, 3, stride, dilation, dilation, groups=CHANNELS, bias=False, dtype=torch.bfloat16
    )
    with torch.no_grad():
        conv.weight.copy_(noise(*conv.weight.shape))
    return conv


def run(conv: nn.Conv2d, images: Tensor) -> tuple[Tensor, ...]:
    images = images.requires_grad_()
    out = conv(images)
    slope = torch.linspace(-1, 1, out.numel()).bfloat16().to(out.dtype).view(out.shape)
    return out.detach(), *torch.autograd.grad(out, (images, conv.weight), slope)


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (11, 8), (13, 13)])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (1, 3), (1, 4)])
def test_results_and_gradients_are_torchs(stride: int, dilation: int, size: tuple[int, int]) -> None:
    conv = make(stride, dilation)
    images = noise(2, CHANNELS, *size).bfloat16()
    wanted = run(make(stride, dilation).float(), images.float())
    Depthwise.adopt(nn.Sequential(conv))
    assert isinstance(conv, Depthwise)
    for ours, theirs in zip(run(conv, images), wanted, strict=True):
        # One rounding of the result; where a processor has no bfloat16 of its own, torch sums in it too.
        torch.testing.assert_close(
            ours.float(), theirs, rtol=2**-8, atol=4 * _own_error() * theirs.abs().max().item()
        )


def test_rounding_is_that_of_autocast() -> None:
    conv, images = make(2, 1).float(), noise(2, CHANNELS, 9, 9)
    with torch.autocast("cpu", torch.bfloat16):
        wanted = conv(images.bfloat16())
        Depthwise.adopt(nn.Sequential(conv))
        ours = conv(images.bfloat16())
    assert ours.dtype == torch.bfloat16
    torch.testing.assert_close(ours, wanted, rtol=2**-8, atol=0)


def test_only_depthwise_convolutions_of_mobilenet_are_adopted() -> None:
    trunk = BACKBONES.build("mobilenet_v2", {}, "test").build(16)
    layers = [layer for layer in trunk.modules() if isinstance(layer, nn.Conv2d)]
    adopted = [layer for layer in layers if isinstance(layer, Depthwise)]
    assert adopted == [layer for layer in layers if layer.groups > 1]
    assert len(adopted) == 17
