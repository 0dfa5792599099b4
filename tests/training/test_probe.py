"""What a figure is told of a network, against the network itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from scribblebench.cli import figures
from scribblebench.loading.images import decode, normalise
from scribblebench.training.build import make_network
from scribblebench.training.data import Places
from scribblebench.training.looks import looks
from scribblebench.training.probe import probe


def test_a_probe_is_of_both_sides_of_the_walk_and_so_is_figure_1(
    make_cell: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell, image = make_cell("rw", rate=0), places.dataset.ids("val")[1]
    network = make_network(cell, places).eval()
    torch.nn.init.constant_(network.head.walk.alpha, 0.7)  # at the initial 0 both sides are the same
    (look,) = looks(cell, places, [image])
    found = probe(network, look, leading=1)
    assert found is not None
    photograph = decode(places.dataset.image_path(image), "RGB")
    assert np.array_equal(look.photograph, photograph)
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
    figures.draw(cell, places.dataset, [found])
    (example,) = examples
    assert example.before is found.before
    assert example.after is found.after
    assert example.prediction is found.prediction
    assert example.eigenvectors is found.eigenvectors
    assert np.array_equal(example.truth, places.dataset.mask(image))


def test_a_look_is_at_the_zoom_of_evaluation(make_cell: Any, places: Places) -> None:
    image = places.dataset.ids("val")[0]
    cell = make_cell("rw", rate=0, evaluation={"part": "whole_image", "scales": [0.5]})
    (look,) = looks(cell, places, [image])
    assert look.pixels.shape == (1, 3, 41, 41)  # of 96 pixels, halved, five cells of 8 pixels and one more
    assert look.photograph.shape == (82, 82, 3)
    photograph = decode(places.dataset.image_path(image), "RGB")
    assert np.array_equal(look.photograph, photograph[look.window])
    # At exactly a half, bilinear pixels are means of four.
    means = look.photograph.astype(np.float32).reshape(41, 2, 41, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(look.pixels[0].permute(1, 2, 0).numpy(), means, atol=1e-3)
    found = probe(make_network(cell, places).eval(), look, leading=1)
    assert found is not None
    assert found.prediction.shape == look.photograph.shape[:2]
    assert found.before.shape == (6, 6)
