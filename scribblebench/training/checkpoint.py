"""The state of a run as safetensors plus JSON: no pickle is ever loaded."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.core.files import write_atomic

_NETWORK = "network."
_OPTIMIZER = "optimizer."
_MEMORY = "memory."
_log = logging.getLogger(__name__)

Memory = dict[str, Tensor]
"""What the losses of a training keep from step to step."""


class DamagedError(UserError):
    """A checkpoint is not what was written."""


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


@dataclass(frozen=True)
class State:
    """All that a run needs to go on from where it is.

    Attributes:
        tensors: of the network and, for a run to be resumed, of its optimiser and its losses' memory.
        progress: how far the run has come.
    """

    tensors: dict[str, Tensor]
    progress: Progress

    @classmethod
    def of(
        cls,
        network: nn.Module,
        optimizer: torch.optim.Optimizer | None,
        progress: Progress,
        memory: Memory | None = None,
    ) -> State:
        """Look at a run; the tensors are the run's own and change with it."""
        tensors = {_NETWORK + name: value.detach() for name, value in network.state_dict().items()}
        tensors |= {_MEMORY + name: value for name, value in (memory or {}).items()}
        if optimizer is not None:
            tensors |= _optimizer_tensors(network, optimizer)
        return cls(tensors, progress)

    def copied(self) -> State:
        """Copy the tensors, where they are, so that they stay what they are now."""
        return State({name: value.clone() for name, value in self.tensors.items()}, self.progress)

    @property
    def nbytes(self) -> int:
        """Size of the tensors."""
        return sum(value.nbytes for value in self.tensors.values())

    def write(self, path: Path) -> None:
        """Write one file, with a digest of all it holds.

        Raises:
            NoSpaceError: the disk is full.
            UserError: a weight is not finite, or the folder cannot be written.
        """
        tensors = {name: value.cpu().contiguous() for name, value in self.tensors.items()}
        if broken := _not_finite(tensors):
            raise UserError(
                f"The weights {broken} are not finite after epoch {self.progress.epochs}. "
                "Lower the learning rate."
            )
        progress = json.dumps(vars(self.progress))
        metadata = {"progress": progress, "sha256": _digest(tensors, progress)}
        write_atomic(path, safetensors.torch.save(tensors, metadata))


def save(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer | None,
    progress: Progress,
    memory: Memory | None = None,
) -> None:
    """Write a network, and what a run to be resumed goes on with, in one file (see ``State.write``)."""
    State.of(network, optimizer, progress, memory).write(path)


def load(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    memory: Memory | None = None,
) -> Progress:
    """Read what ``save`` wrote into a network and, if given, its optimiser and its losses' memory.

    Raises:
        UserError: the file is damaged or belongs to another network. If it is damaged, nothing was changed.
    """
    state = _read(path)
    try:
        network.load_state_dict(_below(state.tensors, _NETWORK), strict=True)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"Cannot use the checkpoint {path}: {reason}. Remove it to train again.") from error
    if optimizer is not None:
        _restore_optimizer(network, optimizer, _below(state.tensors, _OPTIMIZER))
    if memory is not None:
        device = next(network.parameters()).device
        memory.clear()
        memory |= {name: value.to(device) for name, value in _below(state.tensors, _MEMORY).items()}
    return state.progress


def restore(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer | None = None,
    memory: Memory | None = None,
) -> Progress | None:
    """Read a checkpoint as ``load`` does; one that is damaged is set aside, as if it were not there.

    Returns:
        How far its run had come, or None where there is nothing to go on from.

    Raises:
        UserError: the file belongs to another network.
    """
    if not path.exists():
        return None
    try:
        return load(path, network, optimizer, memory)
    except DamagedError as error:
        aside = path.with_name(f"{path.name}.damaged")
        path.replace(aside)
        _log.warning("%s It is kept as %s; training begins anew.", error, aside.name)
        return None


def require_room(folder: Path, network: nn.Module) -> None:
    """Look whether the checkpoints of a run have room: better now than at the end of its training.

    Two moments a weight (Adam's), and the old file stays until the new one is whole.

    Raises:
        NoSpaceError: they have not.
    """
    needed = 2 * 3 * sum(value.nbytes for value in network.state_dict().values())
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoSpaceError(
            f"{folder} has {free / 2**20:.0f} MiB free, the checkpoints of a run need "
            f"{needed / 2**20:.0f} MiB. Make room; the same command carries on."
        )


def _read(path: Path) -> State:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        progress = metadata["progress"]
        sound = metadata["sha256"] == _digest(tensors, progress) and not _not_finite(tensors)
        if sound:
            return State(tensors, Progress(**json.loads(progress)))
    except (SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise DamagedError(f"Cannot use the checkpoint {path}: {reason}.") from error
    raise DamagedError(f"Cannot use the checkpoint {path}: it was changed after it was written.")


def _digest(tensors: dict[str, Tensor], progress: str) -> str:
    """SHA-256 over names, types, shapes and bytes of tensors on the CPU, and over the progress."""
    digest = hashlib.sha256(progress.encode("utf-8"))
    for name, value in sorted(tensors.items()):
        digest.update(f"\n{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _not_finite(tensors: dict[str, Tensor]) -> str:
    """Name the first tensor of the network that holds an infinity or NaN; empty where none does."""
    wrong = (name for name, value in _below(tensors, _NETWORK).items() if not value.isfinite().all())
    return next(wrong, "")


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
