from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scribblebench.core.errors import UserError


def test_an_evaluation_is_not_part_of_the_training(make_cell: Any) -> None:
    one = make_cell("baseline")
    other = make_cell("baseline", evaluation={"part": "whole_image", "scales": [0.5, 1.0]})
    assert one.training_id == other.training_id
    assert one.id != other.id


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"rate": 0.7}, {"kind": "drop", "rate": 0.1}, {"crop": 89}, {"batch": 4}, {"epochs": 5}],
)
def test_what_decides_the_weights_is_in_the_identity(make_cell: Any, change: dict[str, Any]) -> None:
    assert make_cell("baseline").training_id != make_cell("baseline", **change).training_id


def test_titles_and_notes_are_not(make_cell: Any) -> None:
    cell = make_cell("rw-ss")
    renamed = msgspec.structs.replace(cell.method, title="Another", note="with a note")
    assert msgspec.structs.replace(cell, method=renamed).id == cell.id


def test_the_undegraded_strokes_are_one_variant_whatever_the_seed(make_cell: Any) -> None:
    one, other = make_cell("rw", rate=0, seed=0), make_cell("rw", rate=0, seed=1)
    assert (one.kind, one.variant) == ("none", other.variant)
    assert one.training_id != other.training_id
    assert make_cell("rw", kind="drop", rate=0).id == one.id


def test_stages_part_where_a_loss_sets_in(make_cell: Any) -> None:
    rw, ss, flip = make_cell("rw"), make_cell("rw-ss"), make_cell("rw-flip-before")
    assert ss.boundaries() == flip.boundaries() == {2}
    assert rw.boundaries() == set()
    assert rw.prefix_id(2) == ss.prefix_id(2) == flip.prefix_id(2)
    assert len({cell.prefix_id(3) for cell in (rw, ss, flip)}) == 3
    assert make_cell("baseline").prefix_id(2) != rw.prefix_id(2)
    assert make_cell("rw", seed=1).prefix_id(2) != rw.prefix_id(2)


def test_an_option_that_a_part_does_not_have_is_named(make_cell: Any) -> None:
    cell = make_cell("rw-ss")
    term = msgspec.structs.replace(cell.method.losses[1], options={"onn": "eigenspace"})
    method = msgspec.structs.replace(cell.method, losses=(term,))
    with pytest.raises(UserError, match=r"rw-ss: loss 'self_supervision'.*onn"):
        _ = msgspec.structs.replace(cell, method=method).id
