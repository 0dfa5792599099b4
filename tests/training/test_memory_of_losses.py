"""What a loss keeps from step to step: the moving average of a mean teacher, through a stop and a resume."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from scribblebench.training import checkpoint
from scribblebench.training.build import make_network
from scribblebench.training.data import Places
from scribblebench.training.loop import Trainer, follow
from scribblebench.training.stages import Stages


def test_the_average_is_the_geometric_sum_of_all_states() -> None:
    network, memory = nn.Linear(1, 1, bias=False), {}
    seen = [1.0, 2.0, 5.0]
    for value in seen:
        nn.init.constant_(network.weight, value)
        average = follow(memory, network, 0.9)
    torch.testing.assert_close(average["weight"].item(), 0.81 * 1 + 0.09 * 2 + 0.1 * 5)
    assert network.weight.item() == 5.0


def test_a_memory_is_kept_with_the_weights(make_cell: Any, places: Places, tmp_path: Any) -> None:
    cell = make_cell("mean-teacher", epochs=4)

    def trainer() -> Trainer:
        return Stages(cell, places, make_network(cell, places)).trainer

    whole, other = trainer(), trainer()
    whole.epoch(1)
    path = tmp_path / "state.safetensors"
    checkpoint.save(path, whole.network, whole.optimizer, checkpoint.Progress(2, 1.0, []), whole.memory)
    checkpoint.load(path, other.network, other.optimizer, other.memory)
    assert whole.memory.keys() == other.memory.keys()
    state = whole.network.state_dict()
    assert any(not torch.equal(kept, state[name[len("average.") :]]) for name, kept in whole.memory.items())
    assert whole.epoch(2) == other.epoch(2)
