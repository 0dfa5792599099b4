from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from scribblebench.store.record import find_record
from scribblebench.training import data
from scribblebench.training.build import make_network
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.run_cell import run_cell
from scribblebench.training.stages import Stages
from scribblebench.training.train import Checkpoints, train

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]


class Watcher:
    """Hears and says nothing."""

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        pass

    def images(self, done: int, total: int) -> None:
        pass

    def labels(self, done: int, total: int) -> None:
        pass


@pytest.fixture
def on_cuda(places: Places) -> Places:
    return Places(places.dataset, places.variants, places.runs, torch.device("cuda"))


def stages(cell: Cell, places: Places) -> Stages:
    return Stages(cell, places, make_network(cell, places))


@pytest.mark.parametrize("precision", ["float32", "bf16"])
@pytest.mark.parametrize("method", ["baseline", "rw-ss", "rw-random-after"])
def test_a_cell_runs_and_learns(make_cell: Any, on_cuda: Places, method: str, precision: str) -> None:
    cell = make_cell(method, rate=0, epochs=8, precision=precision)
    record = run_cell(cell, on_cuda, Watcher())
    assert record.status == "done"
    assert record.curve[-1]["loss"] < 0.9 * record.curve[0]["loss"]
    assert find_record(on_cuda.runs, cell.id) is None  # the grid writes records, not the cell


def test_photographs_that_do_not_fit_stay_behind(
    make_cell: Any, on_cuda: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "DEVICE_SHARE", 0.0)
    data._kept.clear()
    assert run_cell(make_cell("rw-ss"), on_cuda, Watcher()).status == "done"
    data._kept.clear()


def test_a_run_carries_on_from_a_shared_beginning(make_cell: Any, on_cuda: Places, tmp_path: Path) -> None:
    rw, ss = make_cell("rw"), make_cell("rw-ss")
    train(stages(rw, on_cuda), Checkpoints(tmp_path, rw), Watcher(), ss.boundaries())
    carried_on = stages(ss, on_cuda)
    progress = train(carried_on, Checkpoints(tmp_path, ss), Watcher(), ())
    alone = stages(ss, on_cuda)
    train(alone, Checkpoints(tmp_path / "alone", ss), Watcher(), ())
    assert progress.epochs == ss.protocol.epochs
    for ours, theirs in zip(
        carried_on.trainer.network.parameters(), alone.trainer.network.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0.05, atol=0.01)  # CUDA sums in any order
