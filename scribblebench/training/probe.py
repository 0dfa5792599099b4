"""What a trained network makes of one image, for Figures 1 and 5 of the paper; nothing here trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, eigs
from torch import Tensor

from scribblebench.nn.network import Network
from scribblebench.ops.walk import Energies
from scribblebench.training.looks import Look, Pixels, picture, predicted
from scribblebench.training.variation import TRANSFORMS, pick, variation

Maps = NDArray[np.float32]
# Imaginary parts and magnitudes below this are rounding.
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Probe:
    """What a network makes of the centre of one image.

    Attributes:
        look: what it was shown.
        prediction: classes at the size of the look's photograph, uint8 (h, w).
        before: sum of the absolute values of f^{L-1} over its channels, (cells high, cells wide).
        after: the same of f^L.
        eigenvectors: leading eigenvalue and eigenvector of P, the constant one left out.
        transformed: transform -> the picture that the network was shown, transformed.
        variation: transform -> location -> how much each cell varies, in [0, 1].
    """

    look: Look
    prediction: Pixels
    before: Maps
    after: Maps
    eigenvectors: list[tuple[float, Maps]]
    transformed: dict[str, Pixels]
    variation: dict[str, dict[str, Maps]]


@torch.no_grad()
def probe(network: Network, look: Look, leading: int) -> Probe | None:
    """Look at one image.

    Args:
        network: in evaluation mode.
        look: the image.
        leading: how many eigenvectors to show.

    Returns:
        None where the network has no walk.
    """
    images = look.normalised
    output = network(images)
    if output.energies is None or output.after is None or output.logits is None:
        return None
    transforms = {name: pick(name, look.image, output.energies.height) for name in TRANSFORMS}
    return Probe(
        look=look,
        prediction=predicted(output.logits, look),
        before=_magnitude(output.before),
        after=_magnitude(output.after),
        eigenvectors=leading_eigenvectors(output.energies, leading),
        transformed={name: picture(t(look.pixels, look.unit)) for name, t in transforms.items()},
        variation={
            name: {
                location: found.cells.cpu().numpy()
                for location, found in variation(network, images, t, look.unit, output).items()
            }
            for name, t in transforms.items()
        },
    )


def _magnitude(maps: Tensor) -> Maps:
    magnitude: Maps = maps[0].abs().sum(dim=0).float().cpu().numpy()
    return magnitude


def leading_eigenvectors(energies: Energies, leading: int) -> list[tuple[float, Maps]]:
    """Find the eigenvectors of P with the eigenvalues largest in magnitude, but for the constant one.

    Learned projections make P asymmetric, so eigenvalues may come in complex pairs; of a pair the real part
    of one vector is returned, turned so that its largest entry is real. Holds P: for figures, not training.

    Args:
        energies: of one image.
        leading: how many to find.

    Returns:
        The eigenvalue's real part and the vector as (height, width), largest absolute value 1.
    """
    matrix = energies.matrix()[0].double().cpu().numpy()
    values, vectors = _spectrum(matrix, 2 * leading + 2)
    constant = np.argmin(np.abs(values - 1))
    order = np.argsort(-np.abs(values), kind="stable")
    kept = [i for i in order if i != constant and values[i].imag > -_TINY][:leading]
    return [(float(values[i].real), _turned(vectors[:, i]).reshape(energies.height, -1)) for i in kept]


def _spectrum(matrix: NDArray[np.float64], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    cells = len(matrix)
    if count >= cells - 1:  # too few cells for an iteration
        return np.linalg.eig(matrix)
    try:
        # A fixed start: the default is drawn from numpy's global generator.
        values, vectors = eigs(matrix, k=count, v0=np.linspace(1, 2, cells))
    except ArpackNoConvergence:
        return np.linalg.eig(matrix)
    return values, vectors


def _turned(vector: NDArray[Any]) -> Maps:
    largest = vector[np.argmax(np.abs(vector))]
    return np.asarray((vector / largest).real, dtype=np.float32)
