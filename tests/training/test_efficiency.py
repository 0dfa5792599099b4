from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from scribblebench.core.library import Library
from scribblebench.nn.network import build_network
from scribblebench.training import efficiency
from scribblebench.training.efficiency import count_flops, measure, noise


@pytest.fixture(autouse=True)
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficiency, "SECONDS", 1e-9)


def row(method: str, **settings: Any) -> dict[str, Any]:
    library = Library()
    return measure(library.method(method), library.protocol("efficiency", settings), 21, "cpu")


def test_operations_of_one_convolution_by_hand() -> None:
    layer = nn.Conv2d(3, 7, kernel_size=5, padding=2, stride=2)
    images = torch.zeros(2, 3, 33, 17)
    # Each of 17 x 9 outputs of 7 channels in 2 images is a sum of 5 x 5 x 3 products.
    assert count_flops(lambda: layer(images)) == 2 * (5 * 5 * 3) * (17 * 9 * 7 * 2)


def test_the_walk_adds_its_own_operations() -> None:
    """At width C, q and k of C / 8 and n cells: three products with weights, E, P V."""
    n, width = 3 * 3, 64
    small = {"backbone": "tiny", "output_stride": 16, "head_width": width, "crop": 33}
    by_hand = 2 * n * (width * width // 8 * 2 + width * width + n * width // 8 + n * width)
    extra = row("rw", **small)["gflops"] - row("baseline", **small)["gflops"]
    assert extra == pytest.approx(by_hand / 1e9, abs=1.1e-3)  # the table holds three digits
    library = Library()
    protocol = library.protocol("efficiency", small)
    counts = []
    for method in ("baseline", "rw"):
        network = build_network(protocol, library.method(method), 21, 0).eval()
        counts.append(count_flops(lambda net=network: net(torch.zeros(1, 3, 33, 33))))
    assert counts[1] - counts[0] == by_hand


def test_parameters_as_the_paper_counts_them() -> None:
    aspp = row("baseline-aspp", crop=33)
    assert (aspp["parameters"], aspp["walk_parameters"]) == (24_757_721, 0)
    assert f"{aspp['parameters_mi']:.2f}" == "23.61"
    walk = row("rw-ss", crop=33)
    assert walk["walk_parameters"] == 328_321
    assert f"{walk['walk_parameters'] / 2**20:.2f}" == "0.31"
    parts = ("trunk_parameters", "head_parameters", "walk_parameters")
    assert walk["parameters"] == sum(walk[part] for part in parts)
    assert walk["images_per_second"] > walk["training_images_per_second"] > 0


def test_noise_is_one_batch_of_a_training_split() -> None:
    protocol = Library().protocol("efficiency", {"crop": 65})
    batches = noise(protocol, 21, torch.device("cpu"))
    (batch,) = batches.epoch(0)
    assert batch.images.shape == (2, 3, 65, 65)
    labels = batches.labels.pixels
    assert labels[labels != 255].max() == 20
    assert 0.02 < (labels != 255).float().mean() < 0.04
