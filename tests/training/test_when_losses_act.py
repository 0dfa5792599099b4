"""Losses that set in later: the states kept for it, and the training step of Table 5."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from scribblebench.core.library import Library
from scribblebench.losses.partial_cross_entropy import PartialCrossEntropy
from scribblebench.losses.self_supervision import SelfSupervision
from scribblebench.ops.step import LossValue, Step
from scribblebench.training import checkpoint, efficiency
from scribblebench.training.build import make_network
from scribblebench.training.data import Places
from scribblebench.training.run_cell import run_cell
from scribblebench.training.train import Checkpoints


class Silent:
    """Watches nothing."""

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None: ...

    def images(self, done: int, total: int) -> None: ...

    def labels(self, done: int, total: int) -> None: ...


def test_a_kept_state_is_of_the_epoch_it_is_asked_for(make_cell: Any, places: Places) -> None:
    cell = make_cell("rw", crop=49)
    assert len({cell.prefix_id(epochs) for epochs in range(1, 5)}) == 4
    run_cell(cell, places, Silent(), boundaries={1, 3})
    kept, network = Checkpoints(places.runs / "checkpoints", cell), make_network(cell, places)
    done = [checkpoint.load(kept.prefix(epochs), network, None).epochs for epochs in (1, 3)]
    assert done == [1, 3]


@pytest.mark.parametrize("epochs", [2, 5])
def test_every_loss_acts_in_the_training_step_of_table_5(
    epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted: Counter[str] = Counter()

    def watch(part: Any) -> None:
        compute = part.__call__

        def counted(loss: Any, step: Step) -> LossValue:
            acted[part.__name__] += 1
            return compute(loss, step)

        monkeypatch.setattr(part, "__call__", counted)

    for part in (PartialCrossEntropy, SelfSupervision):
        watch(part)
    monkeypatch.setattr(efficiency, "SECONDS", 1e-9)
    library = Library()
    small = {"backbone": "tiny", "head_width": 16, "crop": 33, "epochs": epochs}
    efficiency.measure(library.method("rw-ss"), library.protocol("efficiency", small), 21, "cpu")
    assert acted["PartialCrossEntropy"] == acted["SelfSupervision"] > 0
