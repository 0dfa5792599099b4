"""The paper's evaluation: several scales, each covered by overlapping windows of the training crop."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from scribblebench.core.cards import Side
from scribblebench.inference import INFERENCES, Inference, Network, Scales
from scribblebench.inference.whole_image import probabilities


@INFERENCES.register
class SlidingWindow(Inference, frozen=True):
    """Average probabilities over windows and scales, as the authors' evaluation script does.

    Attributes:
        scales: the long side of the image becomes ``scale * long_side``.
        long_side: pixels at scale 1.
        window: side of a window in pixels; smaller images are padded to it.
        step: pixels between windows; two thirds of a window in the authors' code.
    """

    scales: Scales = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
    long_side: Side = 512
    window: Side = 465
    step: Side = 310

    def __post_init__(self) -> None:
        """Refuse windows that leave pixels between them, which no network would have looked at."""
        if self.step > self.window:
            raise ValueError(f"a step of {self.step} leaves pixels between windows of {self.window}")

    def __call__(self, network: Network, images: Tensor, stride: int) -> Tensor:
        """Compute class probabilities (see ``Inference``)."""
        size = images.shape[-2:]
        passes = []
        for scale in self.scales:
            zoom = scale * self.long_side / max(size)
            target = [max(1, round(side * zoom)) for side in size]
            scaled = interpolate(images, target, mode="bilinear", align_corners=False)
            scores = self._windows(network, scaled, stride)
            passes.append(interpolate(scores, size, mode="bilinear", align_corners=False))
        return torch.stack(passes).mean(dim=0)

    def _windows(self, network: Network, images: Tensor, stride: int) -> Tensor:
        height, width = images.shape[-2:]
        padded = pad(images, (0, max(0, self.window - width), 0, max(0, self.window - height)))
        total = count = torch.zeros((), device=images.device)
        for top in self._starts(padded.shape[-2]):
            for left in self._starts(padded.shape[-1]):
                here = (..., slice(top, top + self.window), slice(left, left + self.window))
                scores = probabilities(network, padded[here], stride)
                if total.ndim == 0:
                    total = scores.new_zeros(len(images), scores.shape[1], *padded.shape[-2:])
                    count = scores.new_zeros(padded.shape[-2:])
                total[here] += scores
                count[here] += 1
        return (total / count)[..., :height, :width]

    def _starts(self, side: int) -> Iterator[int]:
        yield from range(0, side - self.window, self.step)
        yield side - self.window
