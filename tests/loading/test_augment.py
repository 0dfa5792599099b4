from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.transform import AffineTransform
from skimage.transform import warp as skimage_warp
from torchvision.transforms.v2.functional import gaussian_blur

from scribblebench.core.cards import Augmentation
from scribblebench.loading.augment import Draws, draw, source_windows, warp
from scribblebench.loading.images import Pictures, normalise
from scribblebench.loading.warp import BLUR_SIGMA, blur
from scribblebench.ops.colour import rgb

IGNORE = 255


def one(scale: float = 1.0, angle: float = 0.0, flip: bool = False, y: float = 0.5, x: float = 0.5) -> Draws:
    return Draws(
        scale=torch.tensor([scale]),
        angle=torch.tensor([np.radians(angle)]).float(),
        flip=torch.tensor([flip]),
        blur=torch.tensor([False]),
        place=torch.tensor([[y, x]]),
    )


def picture(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.integers(0, 256, (1, 3, height, width), dtype=np.uint8))
    labels = torch.from_numpy(random.integers(0, 5, (1, 1, height, width), dtype=np.uint8))
    return pixels, labels, torch.tensor([[height, width]])


@pytest.mark.parametrize("flip", [False, True])
def test_nothing_drawn_changes_nothing_but_the_mirror(flip: bool) -> None:
    pixels, labels, sizes = picture(33, 33)
    batch = warp(pixels, labels, one(flip=flip), sizes, 33, IGNORE)
    expected = normalise(pixels).flip(-1) if flip else normalise(pixels)
    torch.testing.assert_close(batch.images, expected, atol=1e-4, rtol=0)
    assert torch.equal(batch.labels[0], labels[0, 0].long().flip(-1) if flip else labels[0, 0].long())
    assert batch.valid.all()


@settings(max_examples=30, deadline=None)
@given(
    scale=st.floats(0.5, 2.0),
    angle=st.floats(-10, 10),
    flip=st.booleans(),
    y=st.floats(0, 0.99),
    x=st.floats(0, 0.99),
)
def test_the_warp_is_that_of_scikit_image(scale: float, angle: float, flip: bool, y: float, x: float) -> None:
    """Built there from elementary transforms: mirror, zoom and rotate about the centre, then move."""
    height, width, side = 40, 56, 33
    pixels, labels, sizes = picture(height, width)
    draws = one(scale, angle, flip, y, x)
    batch = warp(pixels, labels, draws, sizes, side, IGNORE)
    room = np.array([height, width]) * scale - side
    offset = np.where(room > 0, room * [y, x], room / 2)
    centre = np.array([width, height]) / 2
    # Pixel centres lie at half-integers in this frame.
    there = (
        AffineTransform(translation=-centre)
        + AffineTransform(scale=(-1 if flip else 1, 1))
        + AffineTransform(rotation=-np.radians(angle))
        + AffineTransform(scale=scale)
        + AffineTransform(translation=scale * centre - offset[::-1])
    )
    halves = AffineTransform(translation=(0.5, 0.5)), AffineTransform(translation=(-0.5, -0.5))
    inverse = (halves[0] + there + halves[1]).inverse
    image = pixels[0].permute(1, 2, 0).double().numpy()
    expected = skimage_warp(image, inverse, output_shape=(side, side), order=1, mode="edge")
    interior = batch.valid[0].numpy()
    actual = batch.images[0].permute(1, 2, 0).numpy()
    wanted = normalise(torch.from_numpy(expected).permute(2, 0, 1)[None].float())[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(actual[interior], wanted[interior], atol=2e-2)
    assert (batch.images[0, :, ~batch.valid[0]] == 0).all()
    assert (batch.labels[0][~batch.valid[0]] == IGNORE).all()


def test_a_pixel_keeps_its_label() -> None:
    """Image and label map move together: each label is that of the nearest source pixel."""
    height, width = 50, 60
    column = torch.arange(width, dtype=torch.uint8).expand(height, width)
    row = torch.arange(height, dtype=torch.uint8)[:, None].expand(height, width)
    pixels = torch.stack([column, row, column])[None]
    for labels, channel in ((column, 0), (row, 1)):
        batch = warp(
            pixels,
            labels[None, None],
            one(2.0, 7.0, True, 0.3, 0.8),
            torch.tensor([[height, width]]),
            49,
            IGNORE,
        )
        place = rgb(batch.images)[0, channel] * 255
        assert (batch.labels[0] - place).abs().max() < 0.501


def test_a_blur_is_that_of_torchvision() -> None:
    images = torch.rand(2, 3, 40, 31)
    expected = gaussian_blur(images, [5, 5], [BLUR_SIGMA, BLUR_SIGMA])
    for image, wanted in zip(images, expected, strict=True):
        blurred = torch.empty_like(image)
        blur(image, blurred)
        torch.testing.assert_close(blurred, wanted, atol=1e-6, rtol=0)


def test_windows_give_the_crops_of_whole_images() -> None:
    pixels, labels, sizes = (t.expand(20, *t.shape[1:]) for t in picture(60, 70))
    draws = draw(Augmentation(), 0, 0, [str(i) for i in range(20)])
    whole = warp(pixels, labels, draws, sizes, 33, IGNORE)
    windows = source_windows(draws, sizes, 33)
    cuts = [Pictures.of(planes).cut(range(20), windows) for planes in (pixels, labels)]
    parts = warp(*cuts, draws, sizes, 33, IGNORE, windows[:, :2])
    assert torch.equal(parts.valid, whole.valid)
    torch.testing.assert_close(parts.images, whole.images, atol=2e-3, rtol=0)
    assert (parts.labels != whole.labels).float().mean() < 1e-3  # places half-way between two pixels


def test_small_images_are_padded_on_all_sides() -> None:
    pixels, labels, sizes = picture(21, 31)
    batch = warp(pixels, labels, one(), sizes, 41, IGNORE)
    assert batch.valid[0].sum() == 21 * 31
    assert torch.equal(batch.valid[0].nonzero()[0], torch.tensor([10, 5]))


def test_draws_depend_on_names_alone() -> None:
    ranges = Augmentation()
    together = draw(ranges, 0, 3, ["a", "b", "c"])
    alone = draw(ranges, 0, 3, ["c"])
    assert together.scale[2] == alone.scale[0]
    assert torch.equal(together.place[2], alone.place[0])
    assert draw(ranges, 0, 4, ["c"]).scale != alone.scale


def test_draws_stay_in_their_ranges() -> None:
    draws = draw(Augmentation(scale=(0.5, 2.0), rotation=10), 0, 0, [str(i) for i in range(4000)])
    assert 0.5 <= draws.scale.min() < 0.51
    assert 1.99 < draws.scale.max() <= 2.0
    assert np.isclose(np.degrees(draws.angle.abs().max().item()), 10, atol=0.02)
    for odds in (draws.angle != 0, draws.flip, draws.blur):
        assert abs(odds.float().mean() - 0.5) < 0.03
