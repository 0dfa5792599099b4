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


@pytest.mark.parametrize("share", [0.0, 0.25])
@pytest.mark.parametrize("labels", ["nearest", "footprint"])
def test_no_batch_waits_for_the_card(
    make_cell: Any, on_cuda: Places, monkeypatch: pytest.MonkeyPatch, share: float, labels: str
) -> None:
    monkeypatch.setattr(data, "DEVICE_SHARE", share)
    data._kept.clear()
    cell = make_cell("baseline", **{"augmentation.labels": labels})
    batches = data.training_batches(cell, on_cuda)
    assert batches.images.pixels.is_cuda == (share > 0)
    expected = list(batches.epoch(0))
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = list(batches.epoch(0))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
    data._kept.clear()


def test_a_card_and_a_processor_make_the_same_crops(make_cell: Any, places: Places, on_cuda: Places) -> None:
    cell = make_cell("baseline")
    pairs = zip(
        data.training_batches(cell, places).epoch(0),
        data.training_batches(cell, on_cuda).epoch(0),
        strict=True,
    )
    for ours, theirs in pairs:
        torch.testing.assert_close(theirs.images.cpu(), ours.images, atol=5e-3, rtol=0)
        assert (theirs.labels.cpu() != ours.labels).float().mean() < 1e-3  # half-way between two pixels
        assert (theirs.valid.cpu() != ours.valid).float().mean() < 1e-3


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
