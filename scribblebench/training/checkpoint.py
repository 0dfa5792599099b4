"""The state of a run as safetensors plus JSON: no pickle is ever loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from scribblebench.core.errors import UserError
from scribblebench.core.files import write_atomic

_NETWORK = "network."
_OPTIMIZER = "optimizer."


@dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        epochs: epochs finished.
        seconds: time spent training so far.
        curve: one dict of means per finished epoch.
        peak_memory_mb: largest memory seen so far.
    """

    epochs: int
    seconds: float
    curve: list[dict[str, float]]
    peak_memory_mb: float = 0.0


def save(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer | None, progress: Progress) -> None:
    """Write a network, and for a run to be resumed its optimiser, in one file."""
    tensors = {_NETWORK + name: value for name, value in network.state_dict().items()}
    if optimizer is not None:
        tensors |= _optimizer_tensors(network, optimizer)
    contiguous = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomic(path, safetensors.torch.save(contiguous, {"progress": json.dumps(vars(progress))}))


def load(path: Path, network: nn.Module, optimizer: torch.optim.Optimizer | None) -> Progress:
    """Read what ``save`` wrote into a network and, if given, its optimiser.

    Raises:
        UserError: the file is damaged or belongs to another network.
    """
    try:
        with safe_open(path, framework="pt") as file:
            progress = Progress(**json.loads(file.metadata()["progress"]))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        state = _below(tensors, _NETWORK)
        network.load_state_dict(state, strict=True)
    except (SafetensorError, RuntimeError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"Cannot use the checkpoint {path}: {reason}. Remove it to train again.") from error
    if optimizer is not None:
        _restore_optimizer(network, optimizer, _below(tensors, _OPTIMIZER))
    return progress


def _below(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _optimizer_tensors(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{_OPTIMIZER}{key}:{name}": torch.as_tensor(value)
        for name, parameter in network.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
        if value is not None
    }


def _restore_optimizer(
    network: nn.Module, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]
) -> None:
    positions = {
        id(parameter): index
        for index, parameter in enumerate(p for group in optimizer.param_groups for p in group["params"])
    }
    parameters = dict(network.named_parameters())
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        key, _, owner = name.partition(":")
        parameter = parameters[owner]
        state.setdefault(positions[id(parameter)], {})[key] = _laid_out_as(parameter, value)
    # Through the optimiser's own loader, which puts each tensor where its parameter lives.
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    """Give a moment its parameter's memory layout: a file keeps none, and a fused optimiser relies on it."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)
