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
    if weights == "imagenet":
        trunk.load_state_dict(_fitting(trunk, _download(_published(trunk)), weights))
    else:
        trunk.load_state_dict(_fitting(trunk, _read(Path(weights)), weights))


def check_weights(trunk: Trunk, weights: str) -> None:
    """Look whether a trunk can be given pretrained weights; nothing is downloaded.

    Args:
        trunk: on any device, ``meta`` included.
        weights: as for ``load_weights``.

    Raises:
        UserError: it cannot.
    """
    if weights == "imagenet":
        _published(trunk)
    elif weights != "none":
        _fitting(trunk, _read(Path(weights)), weights)


def _published(trunk: Trunk) -> str:
    if trunk.published is None:
        raise UserError("This backbone has no ImageNet weights. Give --set weights=none or a --weights file.")
    return trunk.published.model


def _download(model: str) -> dict[str, Tensor]:
    models = torchvision("models")
    try:
        tensors: dict[str, Tensor] = models.get_model_weights(model).IMAGENET1K_V1.get_state_dict(
            progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise UserError(
            f"Cannot download the ImageNet weights of {model}: {' '.join(str(error).split())}. "
            "Give --weights FILE.safetensors, or --set weights=none."
        ) from error
    return tensors


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise UserError(f"No weights at {path}. Give none, imagenet or an existing .safetensors file.")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path} is not a readable safetensors file: {error}.") from error


def _fitting(trunk: Trunk, tensors: dict[str, Tensor], where: str) -> dict[str, Tensor]:
    """Return those tensors that a trunk takes.

    Raises:
        UserError: they are not its own, or not numbers to compute with.
    """
    unused = trunk.published.unused if trunk.published else ()
    given = {name: tensor for name, tensor in tensors.items() if not name.startswith(unused)}
    own = trunk.state_dict()
    problems = {
        "missing": [name for name in own if name not in given],
        "unexpected": [name for name in given if name not in own],
        "of another shape": [n for n, t in given.items() if n in own and t.shape != own[n].shape],
        "whole numbers": [n for n, t in given.items() if n in own and _whole(t) and not _whole(own[n])],
        "not finite": [n for n, t in given.items() if not t.isfinite().all()],
    }
    if found := "; ".join(f"{kind}: {first_ten(names)}" for kind, names in problems.items() if names):
        raise UserError(f"Weights {where} do not fit the backbone ({found}). Give the backbone's own file.")
    return given


def _whole(tensor: Tensor) -> bool:
    return not tensor.is_floating_point()
