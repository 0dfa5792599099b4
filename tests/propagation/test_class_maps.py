"""Label maps of class activation maps, against what a network with known maps must give."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.nn.heads.hidden_units import RandomWindows
from scribblebench.ops.class_activations import normalised, with_background
from scribblebench.ops.neighbour_pairs import transition
from scribblebench.ops.step import Output
from scribblebench.propagation.affinity_walk import AffinityWalk
from scribblebench.propagation.class_activations import ClassActivations
from scribblebench.propagation.random_activations import RandomActivations

NONE, STRIDE = 255, 8
PRESENT = torch.tensor([True, True, False, True])


class Network(nn.Module):
    """Class maps and an embedding that are convolutions of the image, through windows that may drop units."""

    def __init__(self, rate: float = 0.0) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.trunk = nn.Conv2d(3, 5, 9, STRIDE, 4)
            self.windows = RandomWindows(5, 3, rate)
            self.maps, self.affinity = nn.Conv2d(5, 3, 1, bias=False), nn.Conv2d(5, 2, 1)

    def forward(self, images: Tensor) -> Output:
        before = self.trunk(images)
        maps = self.maps(self.windows(before))
        return Output(before, features={"activations": maps, "affinity": self.affinity(before)})


def image(height: int = 33, width: int = 41) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(2))


def evidence(part: ClassActivations, network: Network, images: Tensor) -> Tensor:
    with torch.no_grad():
        found = part.evidence(network.eval(), images, PRESENT, STRIDE)
    assert found is not None
    assert found.shape == (4, *images.shape[-2:])
    assert found.min() >= 0
    assert not found[2].any()
    return found


def plain_maps(network: Network, images: Tensor) -> Tensor:
    maps = interpolate(
        network(images).features["activations"], images.shape[-2:], mode="bilinear", align_corners=True
    )
    return normalised(maps.detach()[0].relu(), PRESENT[1:])


def labelled(
    part: ClassActivations, maps: Tensor | np.ndarray, picture: np.ndarray | None = None
) -> np.ndarray:
    strokes = np.full(maps.shape[1:], NONE, dtype=np.uint8)
    picture = np.zeros((*strokes.shape, 3), dtype=np.uint8) if picture is None else picture
    return part(picture, strokes, NONE, np.asarray(maps, dtype=np.float32))


def test_one_view_is_the_networks_own_map() -> None:
    network, images = Network().eval(), image()
    found = evidence(ClassActivations(scales=(1.0,), flip=False), network, images)
    torch.testing.assert_close(found[1:], plain_maps(network, images))


def test_between_two_powers_nothing_is_said() -> None:
    maps = torch.zeros(3, 1, 6)
    maps[1, 0] = torch.tensor([0.0, 0.05, 0.2, 0.3, 0.9, 0.1])
    maps[2, 0, 5] = 0.5
    # (1 - m)^4 > m up to m = 0.27; (1 - m)^32 > m up to 0.07.
    assert labelled(ClassActivations(), maps).tolist() == [[0, 0, NONE, 1, 1, 2]]
    assert labelled(ClassActivations(powers=(4.0,)), maps).tolist() == [[0, 0, 0, 1, 1, 2]]
    assert labelled(ClassActivations(), torch.zeros(3, 1, 6)).tolist() == [[NONE] * 6]


def test_saliency_takes_background_away() -> None:
    maps = torch.zeros(2, 24, 24)
    maps[1] = 0.1
    maps[1, 0, 0] = 1
    plain, centre = labelled(ClassActivations(), maps), labelled(ClassActivations(saliency="centre"), maps)
    assert (plain[1:, 1:] == NONE).all()
    assert (centre[10:14, 10:14] == 1).all()
    assert (centre[1:, -1] == plain[1:, -1]).all()
    picture = np.full((24, 24, 3), 60, dtype=np.uint8)
    picture[3:9, 3:9] = 220
    geodesic = labelled(ClassActivations(saliency="geodesic"), maps, picture)
    assert (geodesic[4:8, 4:8] == 1).all()
    assert (geodesic[14:, 14:] == NONE).all()


def test_the_crf_follows_colours_and_only_classes_that_are_there() -> None:
    picture = np.full((24, 32, 3), 40, dtype=np.uint8)
    picture[:, 16:] = 200
    maps = torch.zeros(4, 24, 32)
    maps[3, :, 16:] = 0.8
    maps[3, 5:9, 18:24] = 0.2
    found = labelled(ClassActivations(powers=(4.0,), crf="urss"), maps, picture)
    assert (found[:, :14] == 0).all()
    assert (found[:, 18:] == 3).all()
    assert (labelled(ClassActivations(powers=(4.0,)), maps, picture)[6, 20]) == 0


@pytest.mark.parametrize("size", [(33, 41), (30, 37)])
def test_the_walk_is_an_explicit_power_on_the_networks_grid(size: tuple[int, int]) -> None:
    network, images = Network().eval(), image(*size)
    part = AffinityWalk(scales=(1.0,), flip=False, radius=3, beta=2.0, steps=12, power=3.0)
    found = evidence(part, network, images)
    padded = torch.nn.functional.pad(images, (0, 41 - size[1], 0, 33 - size[0]))
    features = network(padded).features["affinity"][0].detach()
    start = with_background(evidence(ClassActivations(scales=(1.0,), flip=False), network, images)[1:], 3.0)
    start = torch.nn.functional.pad(start[None], (0, 41 - size[1], 0, 33 - size[0]), mode="replicate")[0]
    cells = start[:, ::STRIDE, ::STRIDE].flatten(1).double().numpy()
    power = np.linalg.matrix_power(transition(features, 3, 2.0).toarray(), 12)
    there = PRESENT.clone().numpy()
    expected = torch.from_numpy(np.where(there[:, None], cells @ power, 0)).float().view(1, 4, 5, 6)
    full = interpolate(expected, (33, 41), mode="bilinear", align_corners=True)[0]
    torch.testing.assert_close(found, full[:, : size[0], : size[1]], atol=1e-5, rtol=1e-4)
    assert np.array_equal(labelled(part, found), found.argmax(0).numpy())


def test_without_dropping_all_draws_are_the_ordinary_map() -> None:
    network, images = Network(rate=0.0), image()
    part = RandomActivations(scales=(1.0,), flip=False, runs=3, threshold=0.5, power=8.0)
    found = evidence(part, network, images)
    maps = plain_maps(network, images)
    torch.testing.assert_close(found[1:], torch.where(maps >= 0.5, maps, 0))
    labels = labelled(part, found)
    assert (labels[(maps >= 0.5).any(0)] != 0).all()
    assert {0, NONE} <= set(np.unique(labels))


def test_more_draws_only_add_seeds_and_draw_alike_every_time() -> None:
    network, images = Network(rate=0.7), image()
    parts = [RandomActivations(scales=(1.0,), flip=False, runs=runs) for runs in (1, 4, 16)]
    passed = [(evidence(part, network, images)[1:] > 0).any(0) for part in parts]
    assert (passed[0] <= passed[1]).all()
    assert (passed[1] <= passed[2]).all()
    assert passed[0].sum() < passed[2].sum()
    state = torch.get_rng_state()
    assert torch.equal(evidence(parts[1], network, images), evidence(parts[1], network, images))
    assert torch.equal(torch.get_rng_state(), state)
    assert not network.windows.training
