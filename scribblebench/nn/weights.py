"""Pretrained backbone weights: torchvision's download, or a safetensors file in torchvision's names."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from scribblebench.core.errors import UserError, first_ten
from scribblebench.nn.backbones import Trunk
from scribblebench.ops.vision import torchvision


def load_weights(trunk: Trunk, weights: str) -> None:
    """Give a trunk pretrained weights, in place.

    Args:
        trunk: as a backbone builds it.
        weights: ``none`` (leave the random ones), ``imagenet`` (torchvision's first ImageNet weights, by
            download) or the path of a ``.safetensors`` file with exactly the backbone's parameters; those
            of its ImageNet classifier may be there too.

    Raises:
        UserError: the download fails, or the file is not this backbone's.
    """
    if weights == "none":
        return
    tensors = _download(trunk) if weights == "imagenet" else _read(Path(weights))
    _load(trunk, tensors, weights)


def _download(trunk: Trunk) -> dict[str, Tensor]:
    if trunk.published is None:
        raise UserError("This backbone has no ImageNet weights. Give --weights none or a .safetensors file.")
    model = trunk.published.model
    models = torchvision("models")
    try:
        tensors: dict[str, Tensor] = models.get_model_weights(model).IMAGENET1K_V1.get_state_dict(
            progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"Cannot download the ImageNet weights of {model}: {' '.join(str(error).split())}. "
            "Give --weights FILE.safetensors, or --weights none."
        ) from error
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"No weights at {path}. Give none, imagenet or an existing .safetensors file.")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}.") from error


def _load(trunk: Trunk, tensors: dict[str, Tensor], where: str) -> None:
    unused = trunk.published.unused if trunk.published else ()
    given = {name: tensor for name, tensor in tensors.items() if not name.startswith(unused)}
    own = trunk.state_dict()
    problems = {
        "missing": [name for name in own if name not in given],
        "unexpected": [name for name in given if name not in own],
        "of another shape": [n for n, t in given.items() if n in own and t.shape != own[n].shape],
    }
    if found := "; ".join(f"{kind}: {first_ten(names)}" for kind, names in problems.items() if names):
        raise UserError(f"Weights {where} do not fit the backbone ({found}). Give the backbone's own file.")
    trunk.load_state_dict(given)
