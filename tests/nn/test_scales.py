"""Several scales of the image against the network run by hand on each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.ndimage
import torch

from scribblebench.core.errors import UserError
from scribblebench.nn.network import Network, parameter_counts
from scribblebench.nn.scales import rescaled

Build = Callable[..., Network]


def images(side: int = 97) -> torch.Tensor:
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


def test_one_scale_is_the_plain_network(network: Build) -> None:
    plain, one, many = (network("aspp_sum", **o).eval() for o in ({}, {"scales": (1,)}, {"scales": (1, 0.5)}))
    assert torch.equal(plain(images()).logits, one(images()).logits)
    assert one(images()).scales == ()
    state = many.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in plain.state_dict().items())
    assert torch.equal(many(images()).scales[0], plain(images()).logits)


def test_the_logits_are_the_largest_of_the_scales(network: Build) -> None:
    plain, many = network("plain").eval(), network("plain", scales=(1, 0.75, 0.5)).eval()
    with torch.no_grad():
        by_hand = [plain(images()).logits.numpy()]
        for cells in (9, 6):  # of 12 intervals between 13 cells
            small = plain(rescaled(images(), cells / 12, 8)).logits.numpy()
            assert small.shape[-2:] == (cells + 1, cells + 1)
            place = np.meshgrid(*[np.linspace(0, cells, 13)] * 2, indexing="ij")
            maps = small.reshape(-1, cells + 1, cells + 1)
            large = [scipy.ndimage.map_coordinates(one, place, order=1) for one in maps]
            by_hand.append(np.stack(large).reshape(by_hand[0].shape))
        output = many(images())
    np.testing.assert_allclose(output.logits, np.maximum.reduce(by_hand), rtol=0, atol=1e-5)
    assert [tuple(logits.shape[-2:]) for logits in output.scales] == [(13, 13), (10, 10), (7, 7)]
    assert all((a != b).any() for a, b in zip(by_hand[1:], by_hand, strict=False))


def test_all_but_the_logits_is_of_the_image_itself(network: Build) -> None:
    plain, many = network("random_walk").eval(), network("random_walk", scales=(1, 2)).eval()
    for until in ("energies", "after", "logits"):
        one, other = plain(images(), until), many(images(), until)
        assert torch.equal(one.before, other.before)
        assert torch.equal(one.energies.queries, other.energies.queries)


@pytest.mark.parametrize("scale", [0.5, 0.7, 1.0, 1.5])
def test_corners_stay_corners(scale: float) -> None:
    ramp = torch.linspace(-1, 1, 49)[:, None] * torch.linspace(2, 3, 33)
    small = rescaled(ramp.expand(1, 3, 49, 33), scale, 8)[0, 0]
    height, width = small.shape
    assert (height - 1) % 8 == (width - 1) % 8 == 0
    torch.testing.assert_close(small, torch.linspace(-1, 1, height)[:, None] * torch.linspace(2, 3, width))


def test_the_pyramid_has_the_published_size(network: Build) -> None:
    counts = parameter_counts(network("aspp_sum", classes=21, backbone="resnet50"))
    assert counts == {"trunk": 23_508_032, "head": 4 * 21 * (2048 * 9 + 1), "walk": 0}


@pytest.mark.parametrize(("stride", "rates"), [(8, [6, 12, 18, 24]), (16, [3, 6, 9, 12])])
def test_rates_are_a_width_in_pixels(network: Build, stride: int, rates: list[int]) -> None:
    head = network("aspp_sum", output_stride=stride).head
    assert [branch.dilation for branch in head.branches] == [(rate, rate) for rate in rates]


@pytest.mark.parametrize("scales", [(), (0.5, 1), (1, 0)])
def test_scales_start_with_the_image(network: Build, scales: tuple[float, ...]) -> None:
    with pytest.raises(UserError, match="scales"):
        network("plain", scales=scales)
