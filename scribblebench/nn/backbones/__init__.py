"""Backbones, one a file; a protocol card names one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from scribblebench.core.registry import Part, Registry
from scribblebench.nn.backbones._dilate import set_dilation


@dataclass(frozen=True)
class Published:
    """The torchvision model whose parameter names a trunk keeps.

    Attributes:
        model: its name in ``torchvision.models``.
        unused: prefixes of its parameters that a trunk has no place for (the ImageNet classifier).
    """

    model: str
    unused: tuple[str, ...]


class Trunk(nn.Sequential):
    """A network without classifier: images (batch, 3, h, w) to features (batch, channels, h', w').

    A side of ``k * output_stride + 1`` pixels gives ``k + 1`` cells, the first and last of them centred on
    the first and last pixel: only then are strided convolutions flip-equivariant.

    Args:
        parts: name -> module, in the order in which they run.
        channels: of the features.
        last: residual blocks of the last stage.
        dilation: of the last stage.
        published: where ImageNet weights come from, or None.
    """

    def __init__(
        self,
        parts: dict[str, nn.Module],
        channels: int,
        last: Sequence[nn.Module],
        dilation: int,
        published: Published | None = None,
    ) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.channels = channels
        self.published = published
        self._last = tuple(last)
        self._dilation = dilation

    def apply_multi_grid(self) -> None:
        """Double the dilation from block to block of the last stage: 4, 8, 16 at output stride 8."""
        for index, block in enumerate(self._last):
            set_dilation(block, self._dilation * 2**index)


class Backbone(Part, frozen=True):
    """A backbone: builds a trunk with random weights, drawn from torch's CPU generator."""

    def build(self, output_stride: int) -> Trunk:
        """Build the trunk at output stride 8 or 16."""
        raise TypeError(f"{type(self).__name__} does not say how it is built")


BACKBONES: Registry[Backbone] = Registry("backbone", __name__, Backbone)
