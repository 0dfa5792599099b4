from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from scribblebench.core.errors import NoSpaceError, UserError
from scribblebench.core.seeds import rng
from scribblebench.inference.whole_image import WholeImage
from scribblebench.refine.dense_crf import PRESETS
from scribblebench.store.confusion import PerImageConfusion, iou, mean_iou, read_confusion
from scribblebench.store.record import confusion_path
from scribblebench.training import checkpoint, evaluate
from scribblebench.training.build import make_network, make_terms
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, training_batches, validation
from scribblebench.training.evaluate import groups
from scribblebench.training.loop import Trainer
from scribblebench.training.run_cell import run_cell
from scribblebench.training.train import Checkpoints


class Watcher:
    """Stops the run after some epochs, as a person would."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after = stop_after
        self.epochs: list[int] = []
        self.scored: list[tuple[int, int]] = []

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        self.epochs.append(done)
        if done == self.stop_after:
            raise KeyboardInterrupt

    def images(self, done: int, total: int) -> None:
        self.scored.append((done, total))

    def labels(self, done: int, total: int) -> None:
        pass


def weights(cell: Cell, places: Places) -> dict[str, torch.Tensor]:
    path = Checkpoints(places.runs / "checkpoints", cell).final
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_that_was_stopped_ends_in_the_same_weights(
    make_cell: Any, places: Places, tmp_path: Any
) -> None:
    cell = make_cell("rw-ss")
    run_cell(cell, places, Watcher())
    whole = weights(cell, places)
    elsewhere = Places(places.dataset, places.variants, tmp_path / "again", places.device)
    for stop in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            run_cell(cell, elsewhere, Watcher(stop))
    watcher = Watcher()
    record = run_cell(cell, elsewhere, watcher)
    assert watcher.epochs == [4]  # an interrupt keeps every whole epoch
    assert same(whole, weights(cell, elsewhere))
    assert [point["epoch"] for point in record.curve] == [1, 2, 3, 4]
    assert not list((tmp_path / "again").rglob("*.partial.*"))


def test_shared_prefixes_give_the_same_weights_bit_for_bit(
    make_cell: Any, places: Places, tmp_path: Any
) -> None:
    alone, shared = make_cell("rw-ss"), make_cell("rw")
    run_cell(alone, places, Watcher())
    elsewhere = Places(places.dataset, places.variants, tmp_path / "shared", places.device)
    run_cell(shared, elsewhere, Watcher(), boundaries=alone.boundaries())
    watcher = Watcher()
    run_cell(alone, elsewhere, watcher)
    assert watcher.epochs == [3, 4]  # the first two were RW's
    assert same(weights(alone, places), weights(alone, elsewhere))
    run_cell(shared, places, Watcher())  # and RW itself is what it is without a stop in the middle
    assert same(weights(shared, places), weights(shared, elsewhere))


def test_the_loss_falls_and_the_record_agrees_with_the_files(make_cell: Any, places: Places) -> None:
    cell = make_cell("baseline", rate=0, epochs=8)
    record = run_cell(cell, places, Watcher())
    assert record.status == "done"
    assert record.curve[-1]["loss"] < 0.8 * record.curve[0]["loss"]
    scores = PerImageConfusion.load(confusion_path(places.runs, cell.slug))
    assert record.miou == mean_iou(scores.total())
    assert scores.ids == tuple(places.dataset.ids("val"))
    masks = [np.asarray(Image.open(places.dataset.mask_path(i))) for i in scores.ids]
    assert scores.total().sum() == sum((mask != 255).sum() for mask in masks)


def test_another_evaluation_does_not_train_again(make_cell: Any, places: Places) -> None:
    run_cell(make_cell("baseline"), places, Watcher())
    watcher = Watcher()
    record = run_cell(
        make_cell("baseline", evaluation={"part": "whole_image", "flip": True}), places, watcher
    )
    assert watcher.epochs == []
    assert record.status == "done"


def test_a_crf_is_counted_beside_what_it_refines(make_cell: Any, places: Places) -> None:
    """One training, one evaluation, two numbers; the plain one is what it is without a CRF."""
    plain = run_cell(make_cell("baseline"), places, Watcher())
    cell = make_cell("baseline", **{"evaluation.crf": "urss"})
    watcher = Watcher()
    record = run_cell(cell, places, watcher)
    assert (cell.training_id, watcher.epochs) == (plain.training_id, [])
    assert watcher.scored == [(done, 8) for done in range(1, 9)]
    assert (record.miou, list(record.iou), plain.crf) == (plain.miou, list(plain.iou), "")
    without, scores = read_confusion(places.runs, plain), read_confusion(places.runs, record)
    assert without.crf is None
    assert np.array_equal(scores.matrices, without.matrices)
    assert scores.crf is not None
    assert record.miou_crf == mean_iou(scores.crf.total()) != record.miou
    assert np.array_equal(np.array(record.iou_crf, dtype=float), iou(scores.crf.total()), equal_nan=True)
    assert scores.crf.total().sum() == scores.total().sum()


def test_the_crf_sees_probabilities_and_photographs_at_full_size(places: Places) -> None:
    split = validation(places)

    def network(images: torch.Tensor) -> torch.Tensor:
        return images[..., ::8, ::8].repeat(1, 2, 1, 1)[:, : split.classes]

    def counted(index: int, score: torch.Tensor) -> Any:
        return evaluate.count(split, index, evaluate.labels_of(score))

    scores = evaluate.evaluate(network, WholeImage(), split, 8, crf=PRESETS["deeplab"])
    assert scores.crf is not None
    for index in range(3):
        picture = split.images.image(index)
        given = WholeImage()(network, evaluate.normalise(picture[None]), 8)[0]
        refined = PRESETS["deeplab"](given, picture.permute(1, 2, 0))
        assert np.array_equal(scores.crf.matrices[index], counted(index, refined))
        assert np.array_equal(scores.matrices[index], counted(index, given))


def test_a_record_tells_the_threads_that_computed_it(make_cell: Any, places: Places) -> None:
    """And not those that the process had before: the report would warn of cells that differ in them."""
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        record = run_cell(make_cell("baseline", threads=1), places, Watcher())
        assert torch.get_num_threads() == record.threads == 1
    finally:
        torch.set_num_threads(before)
    assert record.device.endswith("CPU, 1 threads")


def test_a_loss_that_is_not_finite_ends_the_cell(
    make_cell: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = make_cell("baseline", optimizer={"part": "sgd", "lr": 1e30})
    with pytest.raises(UserError, match="Lower the learning rate"):
        run_cell(cell, places, Watcher())


def test_full_supervision_trains_on_masks(make_cell: Any, places: Places) -> None:
    cell = make_cell("full")
    labels = training_batches(cell, places).labels
    assert (labels.pixels != 255).float().mean() > 0.9
    assert (training_batches(make_cell("baseline"), places).labels.pixels != 255).float().mean() < 0.1


@pytest.mark.parametrize("part", ["adam", "adamw", "sgd"])
def test_checkpoints_hold_all_there_is(make_cell: Any, places: Places, tmp_path: Any, part: str) -> None:
    cell = make_cell("rw", optimizer={"part": part, "lr": 1e-3})

    def trainer() -> Trainer:
        return Trainer(
            make_network(cell, places), make_terms(cell.method), training_batches(cell, places), cell.protocol
        )

    one, other = trainer(), trainer()
    one.epoch(0)
    saved = checkpoint.Progress(1, 2.0, [{"loss": 1.0}], 3.0)
    checkpoint.save(tmp_path / "state.safetensors", one.network, one.optimizer, saved)
    assert checkpoint.load(tmp_path / "state.safetensors", other.network, other.optimizer) == saved
    for parameter, state in other.optimizer.state.items():  # a fused optimiser refuses another layout
        moments = [value for value in state.values() if torch.is_tensor(value) and value.ndim]
        assert all(moment.stride() == parameter.stride() for moment in moments)
    one.epoch(1)
    other.epoch(1)
    assert same(one.network.state_dict(), other.network.state_dict())


def test_a_checkpoint_of_another_network_is_one_clear_line(
    make_cell: Any, places: Places, tmp_path: Any
) -> None:
    network = make_network(make_cell("baseline"), places)
    checkpoint.save(tmp_path / "a.safetensors", network, None, checkpoint.Progress(1, 1.0, []))
    with pytest.raises(UserError, match="Cannot use the checkpoint"):
        checkpoint.restore(tmp_path / "a.safetensors", make_network(make_cell("rw"), places), None)


def test_a_checkpoint_that_was_changed_is_never_used(make_cell: Any, places: Places, tmp_path: Any) -> None:
    network = make_network(make_cell("baseline"), places)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    path = tmp_path / "a.safetensors"
    checkpoint.save(path, network, None, checkpoint.Progress(2, 1.0, [{"loss": 0.5}]))
    sound, draw = path.read_bytes(), rng("flips", 0)
    places_to_flip = [8, 20, *draw.integers(8, len(sound), 30).tolist()]  # of the header and of the weights
    for place in places_to_flip:
        raw = bytearray(sound)
        raw[place] ^= 1 << int(draw.integers(0, 8))
        path.write_bytes(raw)
        assert checkpoint.restore(path, network) is None
        assert not path.exists()
        assert (tmp_path / "a.safetensors.damaged").read_bytes() == raw
    for length in (0, 7, 1000, len(sound) - 1):
        path.write_bytes(sound[:length])
        assert checkpoint.restore(path, network) is None
    assert same(before, network.state_dict())
    path.write_bytes(sound)
    assert checkpoint.restore(path, network) == checkpoint.Progress(2, 1.0, [{"loss": 0.5}])


def test_weights_that_are_not_finite_are_neither_kept_nor_used(
    make_cell: Any, places: Places, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, path = make_network(make_cell("baseline"), places), tmp_path / "a.safetensors"
    with torch.no_grad():
        next(network.parameters())[0].fill_(torch.nan)
    with pytest.raises(UserError, match="not finite after epoch 1"):
        checkpoint.save(path, network, None, checkpoint.Progress(1, 1.0, []))
    assert not path.exists()
    with monkeypatch.context() as unchecked:
        unchecked.setattr(checkpoint, "_not_finite", lambda _: "")
        checkpoint.save(path, network, None, checkpoint.Progress(1, 1.0, []))
    assert checkpoint.restore(path, network) is None


def test_a_run_without_room_for_its_checkpoints_does_not_begin(
    make_cell: Any, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**6, 10**6, 1000))
    watcher = Watcher()
    with pytest.raises(NoSpaceError, match="0 MiB free"):
        run_cell(make_cell("baseline"), places, watcher)
    assert watcher.epochs == []


def test_images_of_a_size_go_together_and_predictions_stay_apart(
    places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = torch.tensor([[3, 4], [5, 4], [3, 4], [3, 4], [5, 4]])
    assert list(groups(sizes, together=2)) == [[0, 2], [3], [1, 4]]
    split = validation(places)
    torch.manual_seed(0)
    network = torch.nn.Conv2d(3, split.classes, 9, 8, 4)
    together = evaluate.evaluate(network, WholeImage(), split, 8)
    monkeypatch.setattr(evaluate, "groups", lambda sizes: groups(sizes, together=1))
    alone = evaluate.evaluate(network, WholeImage(), split, 8)
    assert np.array_equal(together.matrices, alone.matrices)


def test_a_label_map_of_another_size_is_named(make_cell: Any, places: Places, tmp_path: Any) -> None:
    masks = places.dataset.root / "SegmentationClassAug"
    first = places.dataset.ids("val")[0]
    original = (masks / f"{first}.png").read_bytes()
    try:
        Image.fromarray(np.zeros((10, 20), dtype=np.uint8)).save(masks / f"{first}.png")
        with pytest.raises(UserError, match=rf"{first}\.png has 20 x 10 pixels.*97 x 97"):
            validation(places)
    finally:
        (masks / f"{first}.png").write_bytes(original)
