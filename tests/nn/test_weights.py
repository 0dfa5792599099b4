from __future__ import annotations

import urllib.error
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file
from torch import Tensor

from scribblebench.core.errors import UserError
from scribblebench.nn.backbones import BACKBONES, Trunk
from scribblebench.nn.weights import load_weights


def trunk(name: str = "tiny") -> Trunk:
    return BACKBONES.build(name, {}, "test").build(16).eval()


def saved(tensors: dict[str, Tensor], folder: Path) -> str:
    save_file(tensors, folder / "w.safetensors")
    return str(folder / "w.safetensors")


def test_none_leaves_the_random_weights() -> None:
    net = trunk()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    load_weights(net, "none")
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_a_torchvision_file_loads_with_its_classifier(name: str, tmp_path: Path) -> None:
    model = torchvision.models.get_model(name, weights=None)
    net = trunk(name)
    load_weights(net, saved(model.state_dict(), tmp_path))
    expected = model.state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in net.state_dict().items())


def test_half_precision_files_are_cast(tmp_path: Path) -> None:
    net = trunk()
    load_weights(net, saved({n: t.half() for n, t in net.state_dict().items()}, tmp_path))
    assert net.state_dict()["stem.0.weight"].dtype == torch.float32


def test_what_does_not_fit_is_listed(tmp_path: Path) -> None:
    state = {name: tensor.clone() for name, tensor in trunk().state_dict().items()}
    del state["stem.0.weight"]
    state["stem.1.weight"] = torch.zeros(3)
    state["fc.weight"] = torch.zeros(3)
    file = saved(state, tmp_path)
    with pytest.raises(UserError) as error:
        load_weights(trunk(), file)
    found = "missing: stem.0.weight; unexpected: fc.weight; of another shape: stem.1.weight"
    assert found in str(error.value)
    assert file in str(error.value)


def test_another_backbones_file_lists_ten(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"missing: conv1.weight, .* and \d+ more; unexpected: block1"):
        load_weights(trunk("resnet18"), saved(trunk().state_dict(), tmp_path))


def test_files_that_are_not_there_or_not_safetensors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No weights at"):
        load_weights(trunk(), str(tmp_path / "none.safetensors"))
    with pytest.raises(UserError, match="No weights at"):
        load_weights(trunk(), str(tmp_path))
    (tmp_path / "w.pth").write_bytes(b"PK\x03\x04 this is a zip, as torch.save writes them")
    with pytest.raises(UserError, match="not a readable safetensors file"):
        load_weights(trunk(), str(tmp_path / "w.pth"))


def test_a_failed_download_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    with pytest.raises(UserError, match=r"Cannot download the ImageNet weights of resnet18: .*no route"):
        load_weights(trunk("resnet18"), "imagenet")
    with pytest.raises(UserError, match="no ImageNet weights"):
        load_weights(trunk("tiny"), "imagenet")


def test_the_imagenet_mobilenet_gives_torchvisions_features(shared: Path) -> None:
    file = shared / "weights" / "mobilenet_v2-imagenet.safetensors"
    if not file.is_file():
        pytest.skip(f"no ImageNet weights at {file}")
    model = torchvision.models.mobilenet_v2(weights=None).eval()
    model.load_state_dict(load_file(file))
    net = trunk("mobilenet_v2")
    load_weights(net, str(file))
    image = torch.randn(1, 3, 225, 225, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        ours = model.features[18](net(image)[..., ::2, ::2])
        logits = model.classifier(ours.mean((2, 3)))
        torch.testing.assert_close(logits, model(image), rtol=1e-4, atol=1e-4)
