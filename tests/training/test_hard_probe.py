"""The hard eigenspace of a network against numpy's eigenvectors of its P."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scribblebench.loading.images import decode, normalise
from scribblebench.nn.network import Network
from scribblebench.training.build import make_network
from scribblebench.training.data import Places
from scribblebench.training.hard_probe import hard_probe
from scribblebench.training.looks import looks


def projector(network: Network, photograph: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    """Onto the leading eigenvectors of P."""
    with torch.no_grad():
        energies = network(normalise(torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None])).energies
    factors = energies.queries[0].double().numpy()
    weights = np.exp(factors @ factors.T)
    values, vectors = np.linalg.eig(weights / weights.sum(axis=1, keepdims=True))
    leading = vectors[:, np.argsort(-values.real)[:size]].real
    projected: NDArray[np.float64] = leading @ np.linalg.pinv(leading)
    return projected


def test_a_hard_probe_compares_projectors_on_the_cells_of_the_image(make_cell: Any, places: Places) -> None:
    cell, image = make_cell("rw-inner-product", rate=0), places.dataset.ids("val")[1]
    network = make_network(cell, places).eval()
    (look,) = looks(cell, places, [image])
    found = hard_probe(network, look, size=3)
    assert found is not None
    assert found.defined
    photograph = decode(places.dataset.image_path(image), "RGB")
    assert np.array_equal(found.photograph, photograph)
    original, other = (projector(network, p, 3) for p in (photograph, photograph[:, ::-1]))
    order = np.arange(13 * 13).reshape(13, 13)[:, ::-1].ravel()
    other = other[np.ix_(order, order)]
    for maps, matrix in (
        (found.rows, original),
        (found.flipped_rows, other),
        (found.distances, original - other),
    ):
        np.testing.assert_allclose(maps.ravel(), np.linalg.norm(matrix, axis=1), atol=1e-4)
    assert found.distances.max() > 0.01
    np.testing.assert_allclose((found.distances**2).sum(), 2 * 3 * found.sines[2], rtol=1e-3)


def test_a_walk_with_projections_has_no_hard_eigenspace(make_cell: Any, places: Places) -> None:
    cell, image = make_cell("rw", rate=0), places.dataset.ids("val")[0]
    (look,) = looks(cell, places, [image])
    assert hard_probe(make_network(cell, places).eval(), look, size=3) is None
