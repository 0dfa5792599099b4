"""What a trained network sees in an image: for figures; nothing here trains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse.linalg import ArpackNoConvergence, eigs
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.inference.whole_image import probabilities
from scribblebench.loading.images import decode, normalise
from scribblebench.nn.network import Network
from scribblebench.ops.hard_eigenspace import eigenspace, flipped_back, squared_sines, symmetric
from scribblebench.ops.transforms import Choice, Flip, Transform
from scribblebench.ops.walk import Energies
from scribblebench.training import checkpoint
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.run_cell import make_network
from scribblebench.training.train import Checkpoints
from scribblebench.training.variation import TRANSFORMS, Variation, means, pick, variation

Maps = NDArray[np.float32]
Pixels = NDArray[np.uint8]
# Imaginary parts and magnitudes below this are rounding.
_TINY = 1e-6
# Eigenvectors compared, one after the other, by the hard eigenspace.
_COMPARED = 16


@dataclass(frozen=True, eq=False)
class Probe:
    """What a network makes of the centre of one image.

    Attributes:
        window: rows and columns of the photograph that were looked at.
        photograph: that part of it, uint8 (h, w, 3).
        prediction: classes, uint8 (h, w).
        before: sum of the absolute values of f^{L-1} over its channels, (cells high, cells wide).
        after: the same of f^L.
        eigenvectors: leading eigenvalue and eigenvector of P, the constant one left out.
        transformed: transform -> the transformed part of the photograph.
        variation: transform -> location -> how much each cell varies, in [0, 1].
    """

    window: tuple[slice, slice]
    photograph: Pixels
    prediction: Pixels
    before: Maps
    after: Maps
    eigenvectors: list[tuple[float, Maps]]
    transformed: dict[str, Pixels]
    variation: dict[str, dict[str, Maps]]


@dataclass(frozen=True, eq=False)
class HardProbe:
    """The leading eigenspaces of P and of the flipped image's P, flipped back (paper, Eq. 7).

    Attributes:
        photograph: what was looked at, uint8 (h, w, 3).
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


def trained_network(cell: Cell, places: Places) -> Network:
    """Load the final weights of a cell, for evaluation.

    Raises:
        UserError: the cell was not trained here.
    """
    path = Checkpoints(places.runs / "checkpoints", cell).final
    if not path.exists():
        raise UserError(
            f"No weights of {cell.slug} in {path.parent}. Train it first: scribblebench run --grid shrink "
            f"--methods {cell.method.name} --rates 0, with the same dataset, protocol and --set. "
            "If it has a record already, remove that first."
        )
    network = make_network(cell, places)
    checkpoint.load(path, network, None)
    return network.eval()


def walk_unit(cell: Cell) -> int:
    """Pixels per cell of the walk."""
    return cell.protocol.output_stride * int(cell.method.network.get("walk_stride", 1))


def centre(height: int, width: int, unit: int, largest: int) -> tuple[slice, slice]:
    """Return the centre of an image: sides of ``k * unit + 1`` pixels, at most ``largest``.

    Only such sides are seen alike from left and right by strided convolutions, and nothing is padded.

    >>> centre(375, 500, 16, 465)
    (slice(3, 372, None), slice(17, 482, None))
    """
    return _middle(height, unit, largest), _middle(width, unit, largest)


def _middle(side: int, unit: int, largest: int) -> slice:
    kept = (min(side, largest) - 1) // unit * unit + 1
    return slice((side - kept) // 2, (side - kept) // 2 + kept)


def views(cell: Cell, places: Places, ids: list[str]) -> Iterator[tuple[str, tuple[slice, slice], Tensor]]:
    """Yield of each image its id, the part that is looked at and its pixels, uint8 (1, 3, h, w)."""
    for image in ids:
        pixels = decode(places.dataset.image_path(image), "RGB")
        height, width, _ = pixels.shape
        window = centre(height, width, walk_unit(cell), cell.protocol.crop)
        planes = torch.from_numpy(pixels[window].copy()).permute(2, 0, 1)[None]
        yield image, window, planes.to(places.device)


@torch.no_grad()
def probe(cell: Cell, places: Places, network: Network, image: str, leading: int) -> Probe:
    """Look at one image.

    Args:
        cell: whose network it is.
        places: where things are.
        network: of a method with a walk, in evaluation mode.
        image: its id.
        leading: how many eigenvectors to show.

    Raises:
        UserError: the method has no walk.
    """
    ((_, window, pixels),) = views(cell, places, [image])
    images = normalise(pixels)
    output = network(images)
    if output.energies is None or output.after is None:
        raise UserError(f"Method '{cell.method.name}' has no walk to be shown. Give --method rw or rw-ss.")
    scores = probabilities(lambda batch: network(batch).logits, images, cell.protocol.output_stride)
    unit, height = walk_unit(cell), output.energies.height
    transforms = {name: pick(name, image, height) for name in TRANSFORMS}
    return Probe(
        window=window,
        photograph=_picture(pixels),
        prediction=scores.argmax(dim=1)[0].to(torch.uint8).cpu().numpy(),
        before=_magnitude(output.before),
        after=_magnitude(output.after),
        eigenvectors=leading_eigenvectors(output.energies, leading),
        transformed={name: _picture(t(pixels, unit)) for name, t in transforms.items()},
        variation={
            name: {
                location: found.cells.cpu().numpy()
                for location, found in variation(network, images, t, unit, output).items()
            }
            for name, t in transforms.items()
        },
    )


@torch.no_grad()
def hard_probe(cell: Cell, places: Places, network: Network, image: str, size: int) -> HardProbe | None:
    """Compare the leading eigenspace of an image's P with that of the flipped image's.

    Args:
        cell: whose network it is.
        places: where things are.
        network: of a method with a walk, in evaluation mode.
        image: its id.
        size: how many eigenvectors span the space, the constant one among them.

    Returns:
        None where the walk is not symmetric, so that P need not have real eigenvectors.
    """
    ((_, _, pixels),) = views(cell, places, [image])
    images = normalise(pixels)
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
        _picture(pixels),
        size,
        *(_maps(row.reshape(height, width)) for row in rows),
        *(_maps(numbers[0]) for numbers in (space.values, other.values, sines)),
    )


@torch.no_grad()
def varied(cell: Cell, places: Places) -> dict[str, tuple[int, dict[str, dict[str, float]]]]:
    """Measure the variation of a trained cell on its validation images.

    Returns:
        Transform -> number of images, and location -> column of the table -> mean over the images.

    Raises:
        UserError: the cell was not trained here, or its method has no walk.
    """
    network = trained_network(cell, places)
    unit = walk_unit(cell)
    found: dict[Choice, list[dict[str, Variation]]] = {name: [] for name in TRANSFORMS}
    for image, _, pixels in views(cell, places, places.dataset.ids("val")):
        images = normalise(pixels)
        output = network(images, "after")
        cells = (images.shape[-2] - 1) // unit + 1
        for name, kept in found.items():
            transform = pick(name, image, cells)
            kept.append(variation(network, images, transform, unit, output))
    return {name: (len(kept), means(kept)) for name, kept in found.items()}


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


def computing_matrices(transform: Transform, height: int, width: int) -> tuple[Pixels, Pixels]:
    """Return T_r and T_c of Eq. 9 as matrices of 0 and 1.

    >>> from scribblebench.ops.transforms import Flip
    >>> computing_matrices(Flip(), 1, 2)[0].tolist()
    [[0, 1], [1, 0]]
    """
    rows = np.eye(height * width, dtype=np.uint8)[transform.cells(height, width).numpy()]
    return rows, rows.T


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


def _magnitude(maps: Tensor) -> Maps:
    return _maps(maps[0].abs().sum(dim=0))


def _maps(numbers: Tensor) -> Maps:
    maps: Maps = numbers.float().cpu().numpy()
    return maps


def _picture(pixels: Tensor) -> Pixels:
    picture: Pixels = pixels[0].permute(1, 2, 0).cpu().numpy()
    return picture
