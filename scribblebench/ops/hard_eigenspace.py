"""The eigenspace of P itself, by eigendecomposition (paper, Eq. 7): an oracle for the soft form.

Holds n x n matrices and takes n^3 steps: for tests and figures on small grids, not for training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scribblebench.ops.transforms import Flip
from scribblebench.ops.walk import Energies


@dataclass(frozen=True)
class Eigenspace:
    """Leading part of the spectrum of ``P = D^-1 W`` with a symmetric ``W = exp(E)``, float64.

    Attributes:
        values: eigenvalues of P, largest first, (batch, leading).
        orthonormal: eigenvectors of the similar symmetric matrix ``D^-1/2 W D^-1/2``, as columns,
            (batch, n, leading).
        vectors: eigenvectors of P, ``D^-1/2`` times those, each of length 1; the first is constant.
    """

    values: Tensor
    orthonormal: Tensor
    vectors: Tensor


def eigenspace(energies: Energies, leading: int) -> Eigenspace:
    """Decompose the transition matrices of a batch.

    Args:
        energies: of the inner product: queries and keys are the same.
        leading: how many eigenvectors to keep.

    Raises:
        ValueError: the energies are not symmetric, so that P need not have a real spectrum.
    """
    if energies.queries is not energies.keys and not torch.equal(energies.queries, energies.keys):
        raise ValueError("the hard eigenspace needs symmetric energies: similarity 'inner_product'")
    factors = energies.queries.detach().double()
    matrix = factors @ factors.mT
    half = matrix.logsumexp(dim=-1) / 2
    values, orthonormal = torch.linalg.eigh((matrix - half[:, :, None] - half[:, None, :]).exp())
    values, orthonormal = values.flip(-1)[:, :leading], orthonormal.flip(-1)[..., :leading]
    # Shifted by the smallest degree, so that no factor overflows.
    scale = (half.amin(dim=1, keepdim=True) - half).exp()
    return Eigenspace(
        values, orthonormal, torch.nn.functional.normalize(orthonormal * scale[..., None], dim=1)
    )


def compare_flipped(energies: Energies, target: Energies, leading: int) -> tuple[Tensor, Tensor]:
    """Compare the eigenspace of a flipped P with that of the flipped image.

    Compares projectors, not vectors: an eigenvector has no sign, and is any vector of a plane where its
    eigenvalue repeats; the projector onto the span is unique where the last eigenvalue kept differs from the
    first one left out. The flip is orthogonal and keeps eigenvalues; a translation changes their number.

    Args:
        energies: of the original image.
        target: of the flipped image.
        leading: how many eigenvectors span the space.

    Returns:
        Mean squared sine of the principal angles between the two spaces, in [0, 1], and the Euclidean
        distance of the leading eigenvalues, each (batch,).
    """
    original, other = eigenspace(energies, leading), eigenspace(target, leading)
    cells = Flip().cells(energies.height, energies.width, original.values.device)
    overlap = original.orthonormal[:, cells].mT @ other.orthonormal
    sines = 1 - overlap.square().sum(dim=(1, 2)) / leading
    return sines, torch.linalg.vector_norm(original.values - other.values, dim=1)
