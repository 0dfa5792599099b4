from __future__ import annotations

import pytest
import torch
import torchvision
from torch import Tensor, nn

from scribblebench.core.errors import UserError
from scribblebench.nn.backbones import BACKBONES, Trunk
from scribblebench.nn.initial import seeded
from scribblebench.ops import vision


def build(name: str, stride: int, seed: int = 0) -> Trunk:
    with seeded("test", seed):
        return BACKBONES.build(name, {}, "test").build(stride).eval()


def images(height: int, width: int) -> Tensor:
    return torch.randn(1, 3, height, width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("name", BACKBONES.names())
def test_one_cell_more_than_strides_in_a_crop(name: str, stride: int) -> None:
    trunk = build(name, stride)
    with torch.no_grad():
        features = trunk(images(5 * stride + 1, 6 * stride + 1))
    assert features.shape == (1, trunk.channels, 6, 7)


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("name", ["resnet18", "resnet50", "mobilenet_v2"])
def test_dilated_features_hold_the_strided_networks(name: str, stride: int) -> None:
    # À trous: at every removed stride the dilated network computes exactly what torchvision's own does.
    trunk = build(name, stride)
    reference = torchvision.models.get_model(name, weights=None).eval()
    reference.load_state_dict(trunk.state_dict(), strict=False)
    body = (
        reference.features[:18] if name == "mobilenet_v2" else nn.Sequential(*list(reference.children())[:-2])
    )
    with torch.no_grad():
        ours, theirs = trunk(images(97, 129)), body(images(97, 129))
    step = 32 // stride
    torch.testing.assert_close(ours[..., ::step, ::step], theirs, rtol=1e-4, atol=1e-5 * float(theirs.std()))


@pytest.mark.parametrize(("stride", "dilate"), [(8, [False, True, True]), (16, [False, False, True])])
def test_resnet_is_torchvisions_dilated_one(stride: int, dilate: list[bool]) -> None:
    trunk = build("resnet50", stride)
    reference = torchvision.models.resnet50(weights=None, replace_stride_with_dilation=dilate).eval()
    reference.load_state_dict(trunk.state_dict(), strict=False)
    with torch.no_grad():
        ours, theirs = trunk(images(65, 65)), nn.Sequential(*list(reference.children())[:-2])(images(65, 65))
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=0)


def test_mobilenet_strides_and_dilations_at_16() -> None:
    trunk = build("mobilenet_v2", 16)
    depthwise = [trunk.features[i].conv[1][0] for i in (14, 15, 16, 17)]
    assert [conv.stride for conv in depthwise] == [(1, 1)] * 4
    assert [conv.dilation[0] for conv in depthwise] == [1, 2, 2, 2]


@pytest.mark.parametrize(("stride", "expected"), [(8, [4, 8, 16]), (16, [2, 4, 8])])
def test_multi_grid_doubles_from_block_to_block(stride: int, expected: list[int]) -> None:
    trunk = build("resnet50", stride)
    size = trunk(images(33, 33)).shape
    trunk.apply_multi_grid()
    assert [block.conv2.dilation[0] for block in trunk.layer4] == expected
    assert trunk(images(33, 33)).shape == size


def mirror_error(trunk: Trunk, side: int) -> float:
    """Relative error of features of a mirrored image, for a network that equals its own mirror."""
    with torch.no_grad():
        for layer in trunk.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.copy_((layer.weight + layer.weight.flip(-1)) / 2)
        image = images(side, side)
        straight, mirrored = trunk(image), trunk(image.flip(-1)).flip(-1)
    return float((straight - mirrored).norm() / straight.norm())


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("name", ["tiny", "resnet18", "mobilenet_v2"])
def test_flip_equivariance_needs_crops_of_strides_plus_one(name: str, stride: int) -> None:
    trunk = build(name, stride)
    assert mirror_error(trunk, 97) < 1e-5
    assert mirror_error(trunk, 96) > 1e-2
    assert mirror_error(trunk, 100) > 1e-2


def test_tiny_is_tiny() -> None:
    assert 150_000 < sum(p.numel() for p in build("tiny", 8).parameters()) < 250_000


@pytest.mark.parametrize(
    "error", [RuntimeError("operator torchvision::nms does not exist"), ImportError("x")]
)
def test_a_torchvision_of_another_torch_is_named(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise error

    monkeypatch.setattr(vision.importlib, "import_module", broken)
    with pytest.raises(
        UserError, match=r"torchvision cannot be imported: .*Install the torch and torchvision"
    ):
        vision.torchvision("models")
