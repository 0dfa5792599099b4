from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from scribblebench.core.errors import UserError
from scribblebench.inference import INFERENCES
from scribblebench.inference.sliding_window import SlidingWindow
from scribblebench.inference.whole_image import WholeImage

STRIDE = 8


def pointwise(images: Tensor) -> Tensor:
    """A network without context, so that windows and padding cannot matter."""
    return images[..., ::STRIDE, ::STRIDE] * 3


@pytest.mark.parametrize("name", INFERENCES.names())
@pytest.mark.parametrize("size", [(97, 97), (50, 83), (130, 47)])
def test_probabilities_at_the_images_own_size(name: str, size: tuple[int, int]) -> None:
    options = {"scales": [0.5, 1.0], "window": 65, "step": 43, "long_side": 100} if "sliding" in name else {}
    inference = INFERENCES.build(name, options, "test")
    torch.manual_seed(0)
    scores = inference(nn.Conv2d(3, 5, 9, STRIDE, 4), torch.randn(2, 3, *size), STRIDE)
    assert scores.shape == (2, 5, *size)
    torch.testing.assert_close(scores.sum(dim=1), torch.ones(2, *size))


def test_the_network_sees_k_strides_and_one() -> None:
    seen = []

    def network(images: Tensor) -> Tensor:
        seen.append(tuple(images.shape[-2:]))
        return pointwise(images)

    WholeImage()(network, torch.zeros(1, 3, 97, 100), STRIDE)
    assert seen == [(97, 105)]


def test_one_scale_is_upsampled_softmax() -> None:
    images = torch.randn(1, 3, 41, 49)
    expected = interpolate(pointwise(images), (41, 49), mode="bilinear", align_corners=True).softmax(1)
    torch.testing.assert_close(WholeImage()(pointwise, images, STRIDE), expected)


def test_flip_averages_with_the_mirrored_pass() -> None:
    torch.manual_seed(0)
    network = nn.Conv2d(3, 4, 9, STRIDE, 4)
    images = torch.randn(1, 3, 41, 49)
    plain = WholeImage()
    expected = (plain(network, images, STRIDE) + plain(network, images.flip(-1), STRIDE).flip(-1)) / 2
    torch.testing.assert_close(WholeImage(flip=True)(network, images, STRIDE), expected)


def test_windows_are_the_authors_and_cover_everything() -> None:
    starts = list(SlidingWindow()._starts(1024))
    assert starts == [0, 310, 559]
    for side in range(465, 1100):
        starts = list(SlidingWindow()._starts(side))
        covered = {p for start in starts for p in range(start, start + 465)}
        assert covered == set(range(side))


def test_windows_of_constant_images_agree_with_the_whole() -> None:
    images = torch.ones(1, 3, 97, 121) * torch.tensor([0.2, 1.0, -0.5]).view(1, 3, 1, 1)
    sliding = SlidingWindow(scales=(1.0,), long_side=121, window=65, step=43)
    torch.testing.assert_close(sliding(pointwise, images, STRIDE), WholeImage()(pointwise, images, STRIDE))


def test_windows_that_leave_pixels_between_them_are_refused() -> None:
    with pytest.raises(UserError, match="a step of 66 leaves pixels between windows of 65"):
        INFERENCES.build("sliding_window", {"window": 65, "step": 66}, "protocol 'mine'")


@pytest.mark.parametrize("name", INFERENCES.names())
@pytest.mark.parametrize("scales", [[], [0], [-1.0], [1e9]])
def test_scales_of_no_picture_are_refused(name: str, scales: list[float]) -> None:
    with pytest.raises(UserError, match=r"inference '\w+': scales"):
        INFERENCES.build(name, {"scales": scales}, "protocol 'mine'")


@pytest.mark.parametrize("options", [{}, {"scales": [0.5]}, {"flip": True}, {"scales": [0.5, 1.0]}])
def test_scores_are_largest_where_probabilities_are(options: dict[str, object]) -> None:
    torch.manual_seed(0)
    inference = INFERENCES.build("whole_image", options, "test")
    network, images = nn.Conv2d(3, 5, 9, STRIDE, 4), torch.randn(2, 3, 41, 53)
    likely = inference(network, images, STRIDE).argmax(dim=1)
    assert torch.equal(inference.scores(network, images, STRIDE).argmax(dim=1), likely)
