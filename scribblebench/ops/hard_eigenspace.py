"""The eigenspace of P itself, by eigendecomposition (paper, Eq. 7): for a figure, and an oracle for Eq. 8.

Holds n x n matrices and takes n^3 steps: for tests and figures on small grids, not for training.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from scribblebench.ops.transforms import Flip
from scribblebench.ops.walk import Energies

# Eigenvalues nearer than this count as one, whose eigenvectors are any of a plane: energies are float32.
_GAP = 1e-4
# Squared sine that rounding may put between the constant vector and the space that contains it.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Eigenspace:
    """Leading part of the spectrum of ``P = D^-1 W`` with a symmetric ``W = exp(E)``, float64.

    Attributes:
        values: eigenvalues of P, largest first, (batch, leading).
        vectors: eigenvectors of P as columns, each of length 1; the first is constant, (batch, n, leading).
        basis: their Gram-Schmidt orthonormalisation: the first k columns span what the first k eigenvectors
            span, and ``basis basis^T`` projects onto it.
        defined: whether the first k eigenvectors span one space, for each k, bool (batch, leading): not
            where the next eigenvalue is the same, nor where the degrees of cells differ by more than float64
            can hold, as those of saturated energies do.
    """

    values: Tensor
    vectors: Tensor
    basis: Tensor
    defined: Tensor


def symmetric(energies: Energies) -> bool:
    """Whether queries and keys are the same, as for the inner product: then the spectrum of P is real."""
    return energies.queries is energies.keys or torch.equal(energies.queries, energies.keys)


def eigenspace(energies: Energies, leading: int) -> Eigenspace:
    """Decompose the transition matrices of a batch.

    Args:
        energies: of the inner product: queries and keys are the same.
        leading: how many eigenvectors to keep.

    Raises:
        ValueError: the energies are not symmetric, so that P need not have a real spectrum.
    """
    if not symmetric(energies):
        raise ValueError("the hard eigenspace needs symmetric energies: similarity 'inner_product'")
    factors = energies.queries.detach().double()
    matrix = factors @ factors.mT
    half = matrix.logsumexp(dim=-1) / 2
    # D^-1/2 W D^-1/2 is symmetric and has the eigenvalues of P; D^-1/2 times its eigenvectors are those of P.
    values, similar = torch.linalg.eigh((matrix - half[:, :, None] - half[:, None, :]).exp())
    values, similar = values.flip(-1), similar.flip(-1)[..., :leading]
    # Shifted by the smallest degree, so that no factor overflows.
    scale = (half.amin(dim=1, keepdim=True) - half).exp()
    vectors = torch.nn.functional.normalize(similar * scale[..., None], dim=1, eps=1e-300)
    basis = torch.linalg.qr(vectors).Q
    defined = _gaps(values)[:, :leading] & _contains_constant(basis)
    return Eigenspace(values[:, :leading], vectors, basis, defined)


def _gaps(values: Tensor) -> Tensor:
    """Whether each eigenvalue is larger than the next; nothing comes after the last."""
    return -values.diff(dim=-1, append=torch.full_like(values[:, :1], -torch.inf)) > _GAP


def _contains_constant(basis: Tensor) -> Tensor:
    """Whether the constant vector, an eigenvector of every P, lies in the span of the first k, for each k."""
    return basis.mean(dim=1).square().cumsum(dim=1) * basis.shape[1] > 1 - _ROUNDING


def flipped_back(space: Eigenspace, height: int, width: int) -> Eigenspace:
    """Return the eigenspace of a flipped image on the cells of the image itself."""
    cells = Flip().cells(height, width, space.values.device)
    return Eigenspace(space.values, space.vectors[:, cells], space.basis[:, cells], space.defined)


def squared_sines(space: Eigenspace, other: Eigenspace) -> Tensor:
    """Compare the spans of the first k eigenvectors, for each k.

    Returns:
        Mean squared sine of the k principal angles, in [0, 1], (batch, leading). Times 2 k it is the squared
        Frobenius distance of the two projectors.
    """
    overlap = (space.basis.mT @ other.basis).square().cumsum(dim=1).cumsum(dim=2)
    shared = overlap.diagonal(dim1=1, dim2=2)
    return 1 - shared / torch.arange(1, shared.shape[1] + 1, device=shared.device)


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
    original = eigenspace(energies, leading)
    other = flipped_back(eigenspace(target, leading), energies.height, energies.width)
    distance = torch.linalg.vector_norm(original.values - other.values, dim=1)
    return squared_sines(original, other)[:, -1], distance
