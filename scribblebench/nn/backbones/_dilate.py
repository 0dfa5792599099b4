"""From a classification network to a dense one: late strides become dilations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from torch import nn


def dilate(stages: Iterable[nn.Module], output_stride: int) -> int:
    """Remove the strides beyond an output stride and dilate what follows, in place.

    The convolution that loses its stride keeps the dilation before it, later ones get the new one
    (torchvision's convention, and the one under which the dilated features, taken at every removed stride,
    *are* the features of the strided network).

    Args:
        stages: in the order in which they run; the strided layers of a stage lie side by side, such as the
            first convolution of a residual stage and its shortcut.
        output_stride: pixels per cell that are kept.

    Returns:
        The dilation of the last stage.
    """
    stride = dilation = 1
    for stage in stages:
        step = max((_stride(layer) for layer in stage.modules()), default=1)
        before = dilation
        if stride * step > output_stride:
            dilation *= step
        else:
            stride *= step
        for conv in _convolutions(stage):
            removed = dilation > before and _stride(conv) > 1
            if removed:
                conv.stride = (1, 1)
            set_dilation(conv, before if removed else dilation)
    return dilation


def set_dilation(module: nn.Module, dilation: int) -> None:
    """Dilate the convolutions of a module and pad them so that sizes stay; 1 x 1 ones are left alone."""
    for conv in _convolutions(module):
        if conv.kernel_size != (1, 1):
            conv.dilation = (dilation, dilation)
            conv.padding = tuple(side // 2 * dilation for side in conv.kernel_size)


def _convolutions(module: nn.Module) -> Iterator[nn.Conv2d]:
    return (layer for layer in module.modules() if isinstance(layer, nn.Conv2d))


def _stride(layer: nn.Module) -> int:
    if not isinstance(layer, nn.Conv2d | nn.MaxPool2d):
        return 1
    return layer.stride if isinstance(layer.stride, int) else layer.stride[0]
