"""Class activation maps against what they are by definition."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.ops.class_activations import activations, normalised, pooled, with_background


@pytest.fixture
def classify() -> nn.Conv2d:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Conv2d(3, 4, 9, stride=8, padding=4).requires_grad_(requires_grad=False)


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def test_one_view_is_the_positive_part_of_the_class_maps(classify: nn.Conv2d) -> None:
    images = noise(2, 3, 33, 25)
    expected = interpolate(classify(images), (33, 25), mode="bilinear", align_corners=True).relu()
    torch.testing.assert_close(activations(classify, images, 8), expected)


def test_a_mirrored_image_has_mirrored_maps_where_mirrored_views_are_added(classify: nn.Conv2d) -> None:
    images = noise(1, 3, 30, 23)
    maps = activations(classify, images, 8, (0.5, 1.0), flip=True)
    assert maps.shape == (1, 4, 30, 23)
    # Views that are padded at one side differ by where the padding is: sides that need none do not.
    images = noise(1, 3, 33, 25)
    maps = activations(classify, images, 8, flip=True)
    torch.testing.assert_close(activations(classify, images.flip(-1), 8, flip=True), maps.flip(-1))
    assert not torch.allclose(activations(classify, images.flip(-1), 8), maps.flip(-1))


def test_the_pooled_maps_leave_padding_out() -> None:
    maps, valid = noise(2, 3, 4, 5), torch.ones(2, 25, 33, dtype=torch.bool)
    valid[1, :, 20:] = False
    torch.testing.assert_close(pooled(maps, valid)[0], maps[0].mean(dim=(1, 2)))
    torch.testing.assert_close(pooled(maps, valid)[1], maps[1, :, :, :3].mean(dim=(1, 2)))
    assert (pooled(maps, torch.zeros_like(valid)) == 0).all()


def test_background_is_what_no_class_claims() -> None:
    maps = noise(3, 6, 7).relu()
    scaled = normalised(maps, torch.tensor([True, False, True]))
    assert scaled.amax(dim=(1, 2)).tolist() == [1, 0, 1]
    torch.testing.assert_close(scaled[2], maps[2] / maps[2].max())
    few, many = with_background(scaled, 32.0), with_background(scaled, 4.0)
    assert (few[0] <= many[0]).all()
    assert (few.argmax(0) == 0).sum() < (many.argmax(0) == 0).sum()
    assert torch.equal(few[1:], scaled)
