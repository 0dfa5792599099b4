"""The share of an evaluation's time that is spent in the network, and where the rest goes.

    python benchmarks/evaluation.py --threads 1

Photographs of 375 x 500 made of noise, 21 classes, each whole at its own size; weights are random. Every
part is counted: cutting the images out, normalising, upsampling, picking the classes, counting pixels.
"""

from __future__ import annotations

import time

import measuring  # before torch: it sets how threads wait, which is read at its import
import torch
from torch import Tensor

from scribblebench.inference.whole_image import WholeImage
from scribblebench.loading.images import Pictures
from scribblebench.nn.backbones import BACKBONES
from scribblebench.nn.heads import HEADS, HeadSpec
from scribblebench.training.evaluate import Validation, evaluate

CLASSES = 21
STRIDE = 16


class Timed:
    """A network that adds up the time it takes."""

    def __init__(self, backbone: str, device: torch.device) -> None:
        trunk = BACKBONES.build(backbone, {}, "benchmark").build(STRIDE)
        head = HEADS.build("plain", {}, "benchmark").build(HeadSpec(trunk.channels, 256, CLASSES, 0.0, 0))
        self.layers = torch.nn.Sequential(trunk, head).eval().to(device).to(memory_format=torch.channels_last)
        self.device = device
        self.seconds = 0.0

    def __call__(self, images: Tensor) -> Tensor:
        """Compute logits."""
        start = time.perf_counter()
        with torch.autocast(self.device.type, torch.bfloat16):
            logits: Tensor = self.layers(images.contiguous(memory_format=torch.channels_last)).logits
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds += time.perf_counter() - start
        return logits


def main() -> None:
    """Parse the command line and measure."""
    args = measuring.arguments(__doc__, batch=16)
    device = torch.device(args.device)
    size = (args.batch, 3, 375, 500)
    images = Pictures.of(torch.randint(0, 256, size, dtype=torch.uint8)).to(device)
    masks = Pictures.of(torch.randint(0, CLASSES, (args.batch, 1, 375, 500), dtype=torch.uint8))
    split = Validation([str(i) for i in range(args.batch)], images, masks, CLASSES, 255, device)
    for backbone in ("mobilenet_v2", "resnet50"):
        network = Timed(backbone, device)
        shares = []
        for _ in range(args.repeats):
            network.seconds, start = 0.0, time.perf_counter()
            evaluate(network, WholeImage(), split, STRIDE)
            shares.append(network.seconds / (time.perf_counter() - start))
        print(f"{backbone}: in_network={sorted(shares)[len(shares) // 2]:.2f} last={network.seconds:.2f}s")


if __name__ == "__main__":
    main()
