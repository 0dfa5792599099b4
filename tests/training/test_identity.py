"""The identity of a number: all that can decide it changes it, and nothing else does."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scribblebench.core.cards import Augmentation, MethodCard, Optimizer, ProtocolCard, Stage
from scribblebench.inference.whole_image import WholeImage
from scribblebench.loading import augment
from scribblebench.losses.partial_cross_entropy import PartialCrossEntropy
from scribblebench.nn.backbones.tiny import Tiny
from scribblebench.nn.heads.random_walk import RandomWalk
from scribblebench.refine.dense_crf import PRESETS, DenseCrf, Kernel
from scribblebench.scribbles.degradations.drop import Drop
from scribblebench.scribbles.pen import Pen
from scribblebench.sources import manifest
from scribblebench.sources.manifest import Digests
from scribblebench.sources.spec import Step, VariantSpec
from scribblebench.training import evaluate, loop
from scribblebench.training.cell import Cell

replace = msgspec.structs.replace
Change = Callable[[Cell], Cell]


@pytest.fixture
def cell(make_cell: Any) -> Cell:
    """A cell in which everything has a share: a walk, two losses, a degradation that looks at masks."""
    found: Cell = make_cell("rw-ss", kind="drop", rate=0.5)
    return found


def protocol(**fields: Any) -> Change:
    return lambda cell: replace(cell, protocol=replace(cell.protocol, **fields))


def method(**fields: Any) -> Change:
    return lambda cell: replace(cell, method=replace(cell.method, **fields))


def term(**fields: Any) -> Change:
    return lambda cell: method(losses=(cell.method.losses[0], replace(cell.method.losses[1], **fields)))(cell)


def variant(**fields: Any) -> Change:
    return lambda cell: replace(cell, variant=replace(cell.variant, **fields))


# Every field of a protocol, and what it becomes. ``None``: it decides nothing.
PROTOCOL: dict[str, Any] = {
    "name": None,
    "title": None,
    "dataset": None,
    "backbone": "resnet18",
    "weights": "imagenet",
    "output_stride": 16,
    "head_width": 32,
    "freeze_batch_norm": True,
    "dropout": 0.2,
    "crop": 113,
    "batch": 4,
    "epochs": 5,
    "optimizer": Optimizer("adamw", lr=1e-3),
    "schedule": "poly",
    "augmentation": Augmentation(flip_odds=0.0),
    "precision": "bf16",
    "threads": 2,
    "evaluation": {"part": "whole_image", "flip": True},
    "relabelling": None,  # of methods in stages alone, see there
}
METHOD: dict[str, Any] = {
    "name": None,
    "title": None,
    "paper": None,
    "note": None,
    "supervision": "masks",
    "network": {"head": "random_walk", "alpha_start": 0.1},
    "losses": (),
    "stages": (Stage(share=0.5), Stage(share=0.5, fresh=True)),
}
TERM: dict[str, Any] = {
    "part": "entropy",
    "weight": 0.5,
    "starts": 0.25,
    "ramp": 0.5,
    "options": {"on": "before"},
}
CELL: dict[str, Any] = {
    "method": "see METHOD",
    "protocol": "see PROTOCOL",
    "variant": "see VARIANT",
    "overrides": None,
    "dataset": None,
    "classes": ("background", "fish"),
    "ignore_index": 254,
    "kind": None,  # a name for people: the variant decides
    "rate": None,
    "seed": 1,
    "train": "see DIGESTS",
    "val": "see DIGESTS",
    "warnings": None,
    "weights_sha256": "0" * 64,
}
VARIANT: dict[str, Any] = {
    "degradations": (Step("drop", 0.4),),
    "seed": 1,
    "pen": Pen(width=5),
    "labels": None,  # the same labels in another kind of PNG
    "strokes": None,  # the strokes' digest says what was read
}


# Fields that cannot be changed alone, or not to a word of no meaning.
OTHERWISE: dict[str, dict[str, Any]] = {
    "part": {"part": "entropy", "options": {}},
    "labels": {"labels": "grey"},
    "strokes": {"strokes": "png"},
    "losses": {"losses": ()},
    "relabelling": {"relabelling": {"part": "whole_image", "scales": (0.5,)}},
}


def cases() -> list[tuple[str, Change, bool]]:
    """List every field with its change, and whether that must change the id."""
    tables: dict[str, tuple[Callable[..., Change], dict[str, Any]]] = {
        "protocol": (protocol, PROTOCOL),
        "method": (method, METHOD),
        "term": (term, TERM),
        "variant": (variant, VARIANT),
        "cell": (lambda **fields: lambda cell: replace(cell, **fields), CELL),
    }
    return [
        (
            f"{table}.{field}",
            change(**(OTHERWISE.get(field) or {field: value or f"other {field}"})),
            value is not None,
        )
        for table, (change, fields) in tables.items()
        for field, value in fields.items()
        if not str(value).startswith("see ")
    ]


@pytest.mark.parametrize(
    ("table", "struct"),
    [(PROTOCOL, ProtocolCard), (METHOD, MethodCard), (CELL, Cell), (VARIANT, VariantSpec)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_field_is_forgotten(table: dict[str, Any], struct: type[msgspec.Struct]) -> None:
    assert set(table) == set(struct.__struct_fields__)


@pytest.mark.parametrize(("name", "change", "decides"), cases(), ids=[case[0] for case in cases()])
def test_fields(cell: Cell, name: str, change: Change, decides: bool) -> None:
    assert (change(cell).id != cell.id) is decides


@pytest.mark.parametrize(
    ("split", "field", "decides"),
    [
        ("train", "photographs", True),
        ("train", "strokes", True),
        ("train", "masks", True),  # what is dropped together lies on one component of the mask
        ("val", "photographs", True),
        ("val", "masks", True),
        ("val", "strokes", False),
    ],
)
def test_data(cell: Cell, split: str, field: str, decides: bool) -> None:
    digests: Digests = getattr(cell, split)
    changed = replace(cell, **{split: replace(digests, **{field: "other"})})
    assert (changed.id != cell.id) is decides


def test_masks_that_nothing_looks_at(make_cell: Any) -> None:
    cell: Cell = make_cell("rw", kind="shrink")
    assert replace(cell, train=replace(cell.train, masks="other")).id == cell.id


def test_full_supervision_has_no_strokes_in_it(make_cell: Any) -> None:
    cell: Cell = make_cell("full", kind="shrink")
    other = replace(cell, train=replace(cell.train, strokes="other"), variant=VariantSpec())
    assert other.id == cell.id
    assert replace(cell, train=replace(cell.train, masks="other")).id != cell.id


@pytest.mark.parametrize(
    "owner",
    [PartialCrossEntropy, RandomWalk, Tiny, WholeImage, Drop],
    ids=lambda part: part.__name__,
)
def test_the_rule_of_every_part(cell: Cell, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cell.id
    monkeypatch.setattr(owner, "rule", 99)
    assert replace(cell).id != before  # a cell computes its id once


@pytest.mark.parametrize(
    ("crf", "other"),
    [
        ("urss", None),
        ("urss", "deeplab"),
        ("urss", {"preset": "urss", "iterations": 5}),
        ("urss", {"preset": "urss", "grouping": {}}),
        ({"preset": "urss", "grouping": {}}, {"preset": "urss", "grouping": {"cell": 8}}),
    ],
)
def test_another_crf_is_another_number_of_the_same_training(cell: Cell, crf: Any, other: Any) -> None:
    one, two = (protocol(evaluation={"part": "whole_image", "crf": asked})(cell) for asked in (crf, other))
    assert one.id != two.id
    assert one.training_id == two.training_id == cell.training_id


def test_a_crf_is_what_it_computes_not_how_it_is_called(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    def evaluated(crf: Any) -> str:
        return protocol(evaluation={"part": "whole_image", "crf": crf})(cell).id

    kernels = [{"weight": 3, "position": 3, "colour": None}, {"weight": 10, "position": 80, "colour": 13}]
    assert (
        evaluated("urss")
        == evaluated({"kernels": kernels, "iterations": 10})
        == evaluated({"preset": "urss"})
    )
    assert evaluated(None) == cell.id
    before = evaluated("urss")
    monkeypatch.setattr(DenseCrf, "rule", 99)
    assert evaluated("urss") != before
    monkeypatch.undo()
    changed = {**PRESETS, "urss": DenseCrf((Kernel(3, position=3),))}
    monkeypatch.setattr("scribblebench.refine.dense_crf.PRESETS", changed)
    assert evaluated("urss") != before
    assert cell.id == evaluated(None)


@pytest.mark.parametrize("module", [loop, augment, evaluate, manifest], ids=lambda m: m.__name__)
def test_the_rules_of_what_is_no_part(cell: Cell, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cell.id
    monkeypatch.setattr(module, "RULE", 99)
    assert replace(cell).id != before


def test_spelling_a_default_out_changes_nothing(cell: Cell) -> None:
    spelt = term(options={**cell.method.losses[1].options, "include_padding": False, "reduction": "rows"})
    network = {**cell.method.network, "alpha_start": 0.0, "walk_stride": 1, "scales": [1]}
    assert method(network=network)(spelt(cell)).id == cell.id


# Every option of the walk, and what it becomes.
WALK: dict[str, Any] = {
    "similarity": "posterior",
    "alpha_start": 0.1,
    "energy_scale": 0.5,
    "walk_stride": 2,
    "conv_after": True,
    "uniform": True,
    "centre": True,
    "normalise": "cosine",
    "value": "identity",
    "alpha": "fixed",
    "xy": 2.0,
    "rgb": 9.0,
    "scales": (1.0, 0.5),
}


@pytest.mark.parametrize("option", RandomWalk.__struct_fields__)
def test_every_option_of_the_walk_decides_but_at_its_default(cell: Cell, option: str) -> None:
    network = cell.method.network
    assert method(network={**network, option: WALK[option]})(cell).id != cell.id
    default = getattr(RandomWalk(), option)
    assert method(network={**network, option: default})(cell).id == cell.id


def test_how_labels_are_read_decides_but_at_its_default(cell: Cell) -> None:
    ranges = cell.protocol.augmentation
    assert protocol(augmentation=replace(ranges, labels="footprint"))(cell).id != cell.id
    assert "labels" not in cell.training_identity["protocol"]["augmentation"]


OWN = """
from scribblebench.ops.step import Loss, LossValue
from beside import factor


class Confident(Loss, frozen=True):
    def __call__(self, step):
        return LossValue(factor * step.logits.mean())
"""


def test_the_source_of_an_own_part(cell: Cell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_loss.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "beside.py").write_text("factor = 1\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    cell = term(part="own_loss:Confident", options={})(cell)
    ids = {cell.id, replace(cell).id}
    assert len(ids) == 1
    (tmp_path / "beside.py").write_text("factor = 2\n", encoding="utf-8")
    ids.add(replace(cell).id)
    (tmp_path / "own_loss.py").write_text(OWN + "\n", encoding="utf-8")
    ids.add(replace(cell).id)
    assert len(ids) == 3
    for name in ("own_loss", "beside"):
        sys.modules.pop(name, None)
