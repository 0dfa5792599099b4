"""Depthwise convolutions of MobileNetV2 in bfloat16, forward and backward: ours, ``nn.Conv2d``.

    python benchmarks/depthwise.py --threads 1 --batch 8

Interleaved medians of the time of each kind of strided or dilated layer at a crop of 161, output stride 16;
last the layer that is neither, which is the floor. Elsewhere than on the CPU both are the same.
"""

from __future__ import annotations

from functools import partial

import measuring  # first: it sets how threads wait, which torch reads when it is imported
import torch
from torch import Tensor, nn

from scribblebench.nn.backbones._depthwise import Depthwise

# Channels, side, stride, dilation.
LAYERS = [(96, 81, 2, 1), (144, 41, 2, 1), (192, 21, 2, 1), (960, 11, 1, 2), (960, 11, 1, 1)]


def layer(channels: int, stride: int, dilation: int) -> nn.Conv2d:
    """Make a layer as the trunk has it."""
    return nn.Conv2d(channels, channels, 3, stride, dilation, dilation, groups=channels, bias=False)


def step(conv: nn.Module, images: Tensor) -> list[Tensor]:
    """Run a layer forward and backward as in training; return its value and gradients."""
    with torch.autocast(images.device.type, torch.bfloat16):
        out = conv(images)
    return [out.detach(), *torch.autograd.grad(out, (images, *conv.parameters()), torch.ones_like(out))]


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__)
    for channels, side, stride, dilation in LAYERS:
        theirs = layer(channels, stride, dilation).to(args.device)
        ours = nn.Sequential(layer(channels, stride, dilation)).to(args.device)
        ours.load_state_dict({f"0.{name}": value for name, value in theirs.state_dict().items()})
        Depthwise.adopt(ours)
        images = torch.randn(args.batch, channels, side, side).to(
            args.device, memory_format=torch.channels_last
        )
        images = images.bfloat16().requires_grad_()
        for mine, wanted in zip(step(ours, images), step(theirs, images), strict=True):
            error = measuring.relative_error(mine.float(), wanted.float())
            assert error < 1e-2, f"differs by {error}"
        actions = {"torch": partial(step, theirs, images), "ours": partial(step, ours, images)}
        times = measuring.medians(actions, args)
        print(
            f"channels={channels} side={side} stride={stride} dilation={dilation} "
            f"torch={1000 * times['torch']:.2f}ms ours={1000 * times['ours']:.2f}ms "
            f"time_ratio={times['ours'] / times['torch']:.2f}"
        )


if __name__ == "__main__":
    main()
