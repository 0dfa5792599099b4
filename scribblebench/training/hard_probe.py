"""The hard eigenspace of one image (paper, Eq. 7), for a figure; nothing here trains."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scribblebench.nn.network import Network
from scribblebench.ops.hard_eigenspace import eigenspace, flipped_back, squared_sines, symmetric
from scribblebench.ops.transforms import Flip
from scribblebench.training.looks import Look, Pixels, picture

Maps = NDArray[np.float32]
# Eigenvectors compared, one after the other.
_COMPARED = 16


@dataclass(frozen=True, eq=False)
class HardProbe:
    """The leading eigenspaces of P and of the flipped image's P, flipped back (paper, Eq. 7).

    Attributes:
        photograph: what the network was shown, uint8 (h, w, 3).
        size: how many eigenvectors span the spaces of the maps, the constant one among them.
        rows: length of each row of the projector onto the space, in [0, 1], (cells high, cells wide).
        flipped_rows: the same of the flipped image, flipped back.
        distances: length of each row of the difference of the two projectors.
        values: leading eigenvalues of P, largest first.
        flipped_values: those of the flipped image.
        sines: mean squared sine between the spans of the first k eigenvectors, k from 1; NaN where they do
            not span one space.
    """

    photograph: Pixels
    size: int
    rows: Maps
    flipped_rows: Maps
    distances: Maps
    values: Maps
    flipped_values: Maps
    sines: Maps

    @property
    def defined(self) -> bool:
        """Whether the two spaces are."""
        return bool(np.isfinite(self.sines[self.size - 1]))


@torch.no_grad()
def hard_probe(network: Network, look: Look, size: int) -> HardProbe | None:
    """Compare the leading eigenspace of an image's P with that of the flipped image's.

    Args:
        network: of a method with a walk, in evaluation mode.
        look: the image.
        size: how many eigenvectors span the space, the constant one among them.

    Returns:
        None where the walk is not symmetric, so that P need not have real eigenvectors.
    """
    images = look.normalised
    energies, target = (network(batch, "energies").energies for batch in (images, Flip()(images)))
    if energies is None or target is None or not symmetric(energies):
        return None
    height, width = energies.height, energies.width
    leading = min(_COMPARED, height * width)
    space = eigenspace(energies, leading)
    other = flipped_back(eigenspace(target, leading), height, width)
    size = min(size, leading)
    projector, flipped = (s.basis[0, :, :size] @ s.basis[0, :, :size].T for s in (space, other))
    rows = (torch.linalg.vector_norm(m, dim=1) for m in (projector, flipped, projector - flipped))
    sines = squared_sines(space, other).where(space.defined & other.defined, torch.nan)
    return HardProbe(
        picture(look.pixels),
        size,
        *(_maps(row.reshape(height, width)) for row in rows),
        *(_maps(numbers[0]) for numbers in (space.values, other.values, sines)),
    )


def _maps(numbers: Tensor) -> Maps:
    maps: Maps = numbers.float().cpu().numpy()
    return maps
