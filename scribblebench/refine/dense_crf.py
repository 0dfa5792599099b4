"""The dense CRF: every pixel is a neighbour of every other, near ones of like colour most.

Krähenbühl and Koltun, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", NIPS 2011.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from torch import Tensor

from scribblebench.core.cards import NonNegative, Positive, convert
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.refine import REFINERS, Refiner
from scribblebench.refine._messages import Spread, by_group, by_pixel, together

Above = Annotated[float, Meta(gt=0)]
# exp of a message must stay within float32, whose largest is e^88; messages are at most about the weight.
_LARGEST_WEIGHT = 40.0


class Kernel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How much two pixels pull each other to the same class: a weight times a Gaussian of their distance.

    Attributes:
        weight: the factor; also the penalty of different classes (Potts).
        position: bandwidth in pixels.
        colour: bandwidth in levels of 0 to 255; None where colours do not matter.
    """

    weight: NonNegative
    position: Above
    colour: Above | None = None


class Grouping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pixels in one square of ``cell`` pixels and one cube of ``levels`` levels are filtered as one."""

    cell: Positive = 16
    levels: Positive = 6


@REFINERS.register
class DenseCrf(Refiner, frozen=True):
    """Mean field of the dense CRF, as the public implementation (pydensecrf) computes it.

    With the probabilities p, Q starts as p and becomes the softmax of ``log p + sum over kernels of
    weight * D^-1/2 K D^-1/2 Q``, where K is the kernel's lattice, a pixel's own term included, and D = K 1.

    Attributes:
        kernels: what the neighbours are.
        iterations: of the mean field. Labels still flip at the tenth, so none stops early.
        floor: smallest probability that the network is taken to mean.
        grouping: filter groups of pixels instead of pixels by colour: faster, nearly the same labels.
    """

    kernels: tuple[Kernel, ...]
    iterations: Positive = 10
    floor: Annotated[float, Meta(gt=0, lt=1)] = 1e-5
    grouping: Grouping | None = None

    def __post_init__(self) -> None:
        if not self.kernels:
            raise ValueError("a CRF needs at least one kernel")
        total = sum(kernel.weight for kernel in self.kernels)
        if total > _LARGEST_WEIGHT:
            raise ValueError(f"the kernels' weights add up to {total:g}, more than {_LARGEST_WEIGHT:g}")

    @torch.no_grad()
    def __call__(self, probabilities: Tensor, picture: Tensor) -> Tensor:
        """Refine (see ``Refiner``).

        Raises:
            UserError: the picture is of another size, or a probability is not a finite number of at least 0.
        """
        _check(probabilities, picture)
        classes, height, width = probabilities.shape
        unary = _rows(probabilities).clamp(min=self.floor)
        unary /= unary.sum(dim=1, keepdim=True)
        ones = unary.new_ones(classes)
        messages = together([self._spread(kernel, picture.to(unary.device)) for kernel in self.kernels])
        beliefs = unary
        for _ in range(self.iterations):
            # The softmax of log p + message; a message is small enough for exp to do without the maximum.
            beliefs = messages(beliefs).exp_().mul_(unary)
            beliefs /= torch.mv(beliefs, ones)[:, None]
        return beliefs.view(height, width, classes).permute(2, 0, 1)

    def _spread(self, kernel: Kernel, picture: Tensor) -> Spread:
        height, width, _ = picture.shape
        if kernel.colour is None:
            return _by_position(kernel, height, width, picture.device)
        place = _grid(height, width, picture.device)
        colours = picture.reshape(-1, 3)
        features = torch.cat([place / kernel.position, colours.float() / kernel.colour], dim=1)
        if self.grouping is None:
            return by_pixel(features, kernel.weight)
        cells = torch.cat([place.int() // self.grouping.cell, colours.int() // self.grouping.levels], dim=1)
        return by_group(features, kernel.weight, _code(cells))


def _rows(probabilities: Tensor) -> Tensor:
    """Lay (classes, h, w) out as (h * w, classes); through the layout of convolutions it is twice as fast."""
    batch = probabilities[None].float().contiguous(memory_format=torch.channels_last)
    return batch.permute(0, 2, 3, 1).reshape(-1, len(probabilities))


@lru_cache(maxsize=8)
def _by_position(kernel: Kernel, height: int, width: int, device: torch.device) -> Spread:
    """Photographs of one size share what does not depend on their colours."""
    return by_pixel(_grid(height, width, device) / kernel.position, kernel.weight)


def _grid(height: int, width: int, device: torch.device) -> Tensor:
    """Where each pixel is: x and y, (h * w, 2)."""
    rows, columns = (torch.arange(side, dtype=torch.float32, device=device) for side in (height, width))
    return torch.cartesian_prod(rows, columns).flip(1).contiguous()


def _code(cells: Tensor) -> Tensor:
    """Write rows of small integers of at least 0 as one integer each."""
    code = torch.zeros_like(cells[:, 0], dtype=torch.int64)
    for column in cells.unbind(1):
        code = code * (column.max() + 1) + column
    return code


def _check(probabilities: Tensor, picture: Tensor) -> None:
    size = tuple(probabilities.shape[1:])
    if probabilities.ndim != 3 or tuple(picture.shape) != (*size, 3):
        raise UserError(
            f"A CRF refines probabilities (classes, h, w) with a picture (h, w, 3), "
            f"not {tuple(probabilities.shape)} with {tuple(picture.shape)}."
        )
    low, high = probabilities.aminmax()
    if not (low >= 0 and torch.isfinite(high)):
        raise UserError("A CRF refines probabilities: finite numbers of at least 0, which these are not.")


PRESETS: Mapping[str, DenseCrf] = MappingProxyType(
    {
        # test.prototxt of the DeepLabV2 ResNet-101 in meng-tang/rloss; the one behind most "with CRF" rows.
        "deeplab": DenseCrf((Kernel(3, position=1), Kernel(4, position=67, colour=3))),
        # tool/imutils.py of panzhiyi/URSS, by the authors of RW-SS.
        "urss": DenseCrf((Kernel(3, position=3), Kernel(10, position=80, colour=13))),
    }
)
"""The two sets of parameters in use. They are not the same CRF: a result says which."""


def asked_crf(asked: Any, where: str) -> DenseCrf:
    """Make the CRF that a card asks for.

    Args:
        asked: a preset's name, or options; those beside ``preset`` replace the preset's.
        where: the card, for the message.

    Raises:
        UserError: no such preset, or an option that a CRF does not have.

    >>> asked_crf({"preset": "urss", "iterations": 5}, "protocol 'toy'").iterations
    5
    """
    options = {**asked} if isinstance(asked, dict) else {"preset": asked}
    preset: dict[str, Any] = {}
    if "preset" in options:
        name = str(options.pop("preset"))
        if name not in PRESETS:
            raise UserError(f"{where}: {UnknownNameError('CRF preset', name, PRESETS)}")
        preset = msgspec.to_builtins(PRESETS[name])
    return convert({**preset, **options}, DenseCrf, f"{where}: crf")
