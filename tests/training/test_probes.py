"""What a figure is told of a network, against the network itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from scribblebench.cli import figures
from scribblebench.loading.images import decode, normalise
from scribblebench.training.data import Places
from scribblebench.training.probes import probe
from scribblebench.training.run_cell import make_network


def test_a_probe_is_of_both_sides_of_the_walk_and_so_is_figure_1(
    make_cell: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, image = make_cell("rw", rate=0), places.dataset.ids("val")[1]
    network = make_network(cell, places).eval()
    torch.nn.init.constant_(network.head.walk.alpha, 0.7)  # at the initial 0 both sides are the same
    found = probe(cell, places, network, image, leading=1)
    photograph = decode(places.dataset.image_path(image), "RGB")
    assert np.array_equal(found.photograph, photograph)
    with torch.no_grad():
        output = network(normalise(torch.from_numpy(photograph.copy()).permute(2, 0, 1)[None]))
    before, after = (maps[0].abs().sum(dim=0).numpy() for maps in (output.before, output.after))
    assert not np.allclose(before, after, rtol=0.01)
    np.testing.assert_allclose(found.before, before, rtol=1e-5)
    np.testing.assert_allclose(found.after, after, rtol=1e-5)
    examples: list[Any] = []
    monkeypatch.setattr(
        "scribblebench.report.figures.figure1.figure1", lambda shown, caption: examples.extend(shown) or {}
    )
    for number in (3, 5):
        monkeypatch.setattr(f"scribblebench.report.figures.figure{number}.figure{number}", lambda *given: {})
    figures.draw(cell, places, {image: found})
    (example,) = examples
    assert example.before is found.before
    assert example.after is found.after
    assert example.prediction is found.prediction
    assert example.eigenvectors is found.eigenvectors
    assert np.array_equal(example.truth, places.dataset.mask(image))
