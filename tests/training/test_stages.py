"""Methods in stages: what each stage trains with, and that a stop or a loss of files changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch.nn.functional import interpolate

from scribblebench.core.cards import LossTerm, MethodCard, Stage
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.inference.whole_image import WholeImage
from scribblebench.loading.images import normalise
from scribblebench.propagation.class_activations import ClassActivations
from scribblebench.propagation.pseudo_labels import PseudoLabels
from scribblebench.refine.dense_crf import DenseCrf
from scribblebench.training import relabel
from scribblebench.training.build import make_network
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places, training_batches
from scribblebench.training.fits import check_method, doubts
from scribblebench.training.relabel import Asked
from scribblebench.training.run_cell import run_cell
from scribblebench.training.spans import spans
from scribblebench.training.stages import Stages, label_maps
from scribblebench.training.train import Checkpoints

replace = msgspec.structs.replace
PSEUDO = {"part": "pseudo_labels", "present": False}


class Watcher:
    """Stops the run after some epochs, and keeps what it hears."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.stop_after, self.heard = stop_after, []

    def epoch(self, done: int, total: int, curve: dict[str, float]) -> None:
        self.heard.append(done)
        if done == self.stop_after:
            raise KeyboardInterrupt

    def images(self, done: int, total: int) -> None: ...

    def labels(self, done: int, total: int) -> None:
        if done == total:
            self.heard.append("labels")


def staged(*stages: Stage, method: str = "baseline", **fields: Any) -> MethodCard:
    return replace(Library().method(method), stages=stages, **fields)


def in_rounds(cell: Cell, **second: Any) -> Cell:
    """Half of the run on the strokes, half on pseudo-labels."""
    return replace(cell, method=staged(Stage(share=0.5), Stage(**{"share": 0.5, "labels": PSEUDO} | second)))


def weights(cell: Cell, runs: Path) -> dict[str, torch.Tensor]:
    with safe_open(Checkpoints(runs / "checkpoints", cell).final, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def elsewhere(places: Places, folder: Path) -> Places:
    return Places(places.dataset, places.variants, folder, places.device)


def test_epochs_are_divided_by_shares_and_each_fresh_network_has_its_own_schedule() -> None:
    thirds = (Stage(share=0.3), Stage(share=0.3, labels=PSEUDO), Stage(share=0.4, fresh=True))
    found = spans(staged(*thirds), 10)
    assert [(s.first, s.last) for s in found] == [(0, 3), (3, 6), (6, 10)]
    assert [s.schedule for s in found] == [(0, 6), (0, 6), (6, 10)]
    assert [s.sees_predictions for s in found] == [False, True, False]
    again = (Stage(share=0.3), Stage(share=0.3, restart=True), Stage(share=0.4))
    assert [(s.schedule, s.fresh) for s in spans(staged(*again), 10)] == [
        ((0, 3), False),
        *2 * [((3, 10), False)],
    ]
    assert [(s.first, s.last) for s in spans(staged(*thirds), 1)] == [(0, 1)]
    assert "2 of its 3 stages" in doubts(staged(*thirds), Library().protocol("toy", {"epochs": 1}))[0]
    with pytest.raises(ValueError, match=r"shares sum to 0\.7"):
        staged(Stage(share=0.3), Stage(share=0.4)).__post_init__()


def test_a_stage_trains_on_its_own_labels_and_losses(make_cell: Any, places: Places) -> None:
    terms = (LossTerm("partial_cross_entropy", weight=2.0),)
    cell = in_rounds(make_cell("baseline"), losses=terms, fresh=True)
    stages = Stages(cell, places, make_network(cell, places))
    first, second = stages.spans
    stages.enter(first, 0, lambda done, total: None)
    strokes, start = stages.trainer.batches.labels, make_network(cell, places).state_dict()
    stages.trainer.epoch(0)
    stages.enter(second, second.first, lambda done, total: None)
    labels = stages.trainer.batches.labels
    drawn = strokes.pixels != 255
    assert torch.equal(labels.pixels[drawn], strokes.pixels[drawn])  # strokes keep their class
    assert (labels.pixels != 255).all()
    assert [term.card.weight for term in stages.trainer.terms] == [2.0]
    assert same(stages.trainer.network.state_dict(), start)  # a fresh one
    assert not stages.trainer.optimizer.state


def test_class_maps_are_asked_of_images_as_large_as_the_protocol_shows_them(
    make_cell: Any, places: Places
) -> None:
    cell = replace(make_cell("baseline"), method=Library().method("cam"))
    network, batches = make_network(cell, places).eval(), training_batches(cell, places)
    part = ClassActivations(scales=(1.0, 1.5), flip=True)
    half = Asked(network, part, batches, WholeImage(scales=(0.5,)), cell.protocol)(0)
    images = normalise(batches.images.image(0)[None])
    with torch.no_grad():
        seen = interpolate(images, (48, 48), mode="bilinear")
        found = part.evidence(network, seen, batches.tags[0], cell.protocol.output_stride)
    assert found is not None
    under = (np.arange(97) * 2 + 1) * 48 // (2 * 97)  # the seen pixel below each pixel's centre
    np.testing.assert_array_equal(half, found.numpy()[:, under][:, :, under])


@pytest.mark.parametrize("fresh", [False, True])
def test_a_stopped_run_in_rounds_ends_in_the_same_weights(
    make_cell: Any, places: Places, tmp_path: Path, fresh: bool
) -> None:
    cell = in_rounds(make_cell("baseline"), fresh=fresh)
    watcher = Watcher()
    record = run_cell(cell, elsewhere(places, tmp_path / "whole"), watcher)
    assert watcher.heard == [1, 2, "labels", 3, 4]
    assert record.epochs == len(record.curve) == 4
    for stop in (1, 2, 3):
        with pytest.raises(KeyboardInterrupt):
            run_cell(cell, elsewhere(places, tmp_path / "stopped"), Watcher(stop))
    watcher = Watcher()
    run_cell(cell, elsewhere(places, tmp_path / "stopped"), watcher)
    assert watcher.heard == [4]
    assert same(weights(cell, tmp_path / "whole"), weights(cell, tmp_path / "stopped"))


def test_lost_and_damaged_labels_are_made_again(make_cell: Any, places: Places, tmp_path: Path) -> None:
    cell = in_rounds(make_cell("baseline"))
    there = elsewhere(places, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        run_cell(cell, there, Watcher(3))
    maps = label_maps(cell, there, spans(cell.method, 4)[1])
    images = training_batches(cell, there).ids
    whole = {image: maps.label(image) for image in images}
    maps.path(images[3]).write_bytes(maps.path(images[4]).read_bytes())  # a sound label map of another image
    assert not maps.are_whole(images)
    watcher = Watcher()
    run_cell(cell, there, watcher)
    # The network that made them has gone on, but its state at the boundary was kept.
    assert watcher.heard == ["labels", 3, 4]
    assert all((maps.label(image) == whole[image]).all() for image in images)
    run_cell(cell, elsewhere(places, tmp_path / "whole"), Watcher())
    assert same(weights(cell, tmp_path), weights(cell, tmp_path / "whole"))


def test_a_beginning_on_strokes_is_shared_with_the_method_without_stages(
    make_cell: Any, places: Places, tmp_path: Path
) -> None:
    flat, rounds = make_cell("baseline"), in_rounds(make_cell("baseline"))
    assert flat.prefix_id(2) == rounds.prefix_id(2)
    assert flat.prefix_id(3) != rounds.prefix_id(3)
    # A fresh network has a schedule of its own, and so has the one before it.
    assert flat.prefix_id(2) != in_rounds(flat, fresh=True).prefix_id(2)
    assert flat.prefix_id(2) != in_rounds(flat, restart=True).prefix_id(2)
    there = elsewhere(places, tmp_path)
    run_cell(flat, there, Watcher(), boundaries=rounds.boundaries())
    watcher = Watcher()
    run_cell(rounds, there, watcher)
    assert watcher.heard == ["labels", 3, 4]
    shutil.rmtree(tmp_path / "label-maps")


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: in_rounds(cell, labels={**PSEUDO, "threshold": 0.5}),
        lambda cell: in_rounds(cell, labels={}),
        lambda cell: in_rounds(cell, fresh=True),
        lambda cell: in_rounds(cell, losses=(LossTerm("partial_cross_entropy", weight=2.0),)),
        lambda cell: replace(
            in_rounds(cell),
            protocol=replace(cell.protocol, relabelling={"part": "whole_image", "scales": (0.5,)}),
        ),
    ],
)
def test_what_decides_the_labels_is_in_the_identity(make_cell: Any, change: Any) -> None:
    cell = make_cell("baseline")
    ids = {each.id for each in (cell, in_rounds(cell), change(cell))}
    assert len(ids) == (2 if change(cell).id == cell.id else 3)
    assert change(cell).id != in_rounds(cell).id


@pytest.mark.parametrize("owner", [PseudoLabels, DenseCrf, WholeImage])
def test_rules_of_what_makes_labels(make_cell: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = in_rounds(make_cell("baseline"), labels={"part": "pseudo_labels", "crf": "urss"})
    second = spans(cell.method, 4)[1]
    before = cell.training_id, cell.labels_identity(second)
    monkeypatch.setattr(owner, "rule", 99)
    again = msgspec.structs.replace(cell)
    assert again.training_id != before[0]
    assert again.labels_identity(second) != before[1]


def test_the_rule_of_relabelling(make_cell: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    flat, rounds = make_cell("baseline"), in_rounds(make_cell("baseline"))
    before = flat.id, rounds.id
    monkeypatch.setattr(relabel, "RULE", 99)
    assert msgspec.structs.replace(flat).id == before[0]
    assert msgspec.structs.replace(rounds).id != before[1]


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (staged(Stage(share=1.0, labels=PSEUDO)), "the first stage has none"),
        (staged(Stage(share=0.5), Stage(share=0.5, labels=PSEUDO), method="full"), "supervision: masks"),
        (staged(Stage(share=1.0, labels={"part": "osmosis"})), "osmosis"),
        (staged(Stage(share=1.0, losses=(LossTerm("self_supervision"),))), "walk"),
    ],
)
def test_what_no_stage_can_do_is_refused_before_training(method: MethodCard, message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_method(method, Library().protocol("toy"))
