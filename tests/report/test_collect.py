from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scribblebench.core.errors import UserError
from scribblebench.report.collect import NONE, Variant, gather, read_cells
from scribblebench.store.lock import try_lock
from scribblebench.store.record import confusion_path, lock_path


def test_a_grid_is_one_group_in_the_papers_order(grid: Path) -> None:
    (group,) = gather([grid])
    assert list(group.methods) == ["baseline", "rw", "rw-ss"]
    assert group.variants == [NONE, *(Variant("shrink", r) for r in (0.2, 0.5, 0.7, 1.0))]
    assert len(group.cells) == 28


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": "paper"},
        {"overrides": {"epochs": 4}},
        {"dataset": "voc2012"},
        {"images": 41},
        {"identity": {"training": {"protocol": {"crop": 97}}}},
        {"identity": {"val": "another folder"}},
    ],
)
def test_cells_under_other_conditions_never_share_a_table(
    make: Any, tmp_path: Path, other: dict[str, Any]
) -> None:
    make("baseline")
    make("rw", **other)
    groups = gather([tmp_path / "runs"])
    assert sorted([*group.methods] for group in groups) == [["baseline"], ["rw"]]
    assert len({group.name for group in groups}) == 2


def test_a_cell_without_a_result_joins_the_cells_of_its_settings(make: Any, tmp_path: Path) -> None:
    make("baseline")
    make("rw", status="interrupted", reason="Ctrl-C")
    (group,) = gather([tmp_path / "runs"])
    assert [cell.record.status for cell in group.cells] == ["done", "interrupted"]


def test_of_two_results_of_a_cell_the_later_counts_and_a_failure_replaces_none(
    make: Any, tmp_path: Path
) -> None:
    make("rw", started="2026-01-01T00:00:00+00:00")
    later = make("rw", started="2026-01-02T00:00:00+00:00", device="cuda")
    make("rw", started="2026-01-03T00:00:00+00:00", status="failed", reason="out of memory")
    (group,) = gather([tmp_path / "runs"])
    assert [cell.record.cell for cell in group.cells] == [later.cell]
    assert len(group.superseded) == 2


def test_several_folders_are_read_together_and_filtered(make: Any, tmp_path: Path) -> None:
    make("rw", folder=tmp_path / "a")
    make("rw", folder=tmp_path / "b", dataset="voc2012", protocol="voc-mini")
    folders = [tmp_path / "a", tmp_path / "b"]
    assert len(gather(folders)) == 2
    assert [group.dataset for group in gather(folders, dataset="toy")] == ["toy"]
    assert [group.protocol for group in gather(folders, protocol="voc-mini")] == ["voc-mini"]
    with pytest.raises(UserError, match=r"No record of dataset 'coco' in .*Run 'scribblebench run"):
        gather(folders, dataset="coco")


def test_missing_folders_and_folders_without_records_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No folder"):
        gather([tmp_path / "nowhere"])
    with pytest.raises(UserError, match="No record in"):
        gather([tmp_path])


def test_a_record_that_disagrees_with_its_matrices_is_left_out_and_named(make: Any, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    make("baseline")
    wrong = make("rw", miou=0.9, iou=())
    missing = make("rw-ss")
    confusion_path(runs, missing.slug).unlink()
    assert [cell.record.method for group in gather([runs]) for cell in group.cells] == ["baseline"]
    damaged = {path.stem: why for path, why in read_cells(runs).damaged}
    assert damaged.keys() == {wrong.slug, missing.slug}
    assert "its record says 0.9" in damaged[wrong.slug]
    assert "No confusion matrices" in damaged[missing.slug]


def definition(**parts: Any) -> dict[str, Any]:
    training = {
        "supervision": "scribble",
        "network": {"head": "plain"},
        "losses": [],
        "photographs": "0" * 64,
    }
    return {"training": {**training, "protocol": {"epochs": 30}, **parts}}


def test_a_card_edited_under_its_name_is_two_methods(make: Any, tmp_path: Path) -> None:
    """Else Table 4 would take a drop ratio across two methods."""
    make("rw", identity=definition())
    make("rw", ("shrink", 0.5), identity=definition(losses=[{"part": "entropy"}]))
    make("baseline", identity=definition())
    (group,) = gather([tmp_path / "runs"])
    marked = [method for method in group.methods if method.startswith("rw [")]
    assert len(marked) == 2
    assert "baseline" in group.methods
    assert sorted(len(group.at(m, v)) for m in marked for v in group.variants) == [0, 0, 1, 1]
    assert any("rw: cards of this name meant different methods" in note for note in group.notes)


@pytest.mark.parametrize("part", [{"rules": {"head plain": 2}}, {"network": {"head": "aspp"}}])
def test_what_a_method_is_made_of(make: Any, tmp_path: Path, part: dict[str, Any]) -> None:
    make("rw", identity=definition())
    make("rw", seed=1, identity=definition(**part))
    (group,) = gather([tmp_path / "runs"])
    assert len(group.methods) == 2


def test_records_of_the_earlier_schema_stand_apart(make: Any, tmp_path: Path) -> None:
    make("rw")
    make("baseline", schema=1)
    earlier, now = sorted(gather([tmp_path / "runs"]), key=lambda group: group.schema)
    assert [list(group.methods) for group in (earlier, now)] == [["baseline"], ["rw"]]
    assert any("earlier schema 1" in note for note in earlier.notes)
    assert not now.notes


def test_full_supervision_stands_beside_every_source_of_strokes(make: Any, tmp_path: Path) -> None:
    make("rw", identity=definition(labels={"strokes": "a"}))
    make("baseline", identity=definition(labels={"strokes": "b"}))
    make("full", identity=definition(labels={"masks": "m"}, supervision="masks"))
    groups = gather([tmp_path / "runs"])
    assert sorted(sorted(group.methods) for group in groups) == [["baseline", "full"], ["full", "rw"]]


def test_warnings_are_told_once_with_their_number(make: Any, tmp_path: Path) -> None:
    for seed in (0, 1):
        make("rw", seed=seed, warnings=("class 'ring' has no true pixel in any val mask",))
    (group,) = gather([tmp_path / "runs"])
    assert group.notes == ["Warning: class 'ring' has no true pixel in any val mask (2 cells)."]


def test_a_dead_process_does_not_run(make: Any, tmp_path: Path) -> None:
    record = make("rw", status="running")
    (cell,) = read_cells(tmp_path / "runs").records
    assert (cell.record.status, cell.record.reason) == ("interrupted", "killed: no process is at it")
    with try_lock(lock_path(tmp_path / "runs", record.slug)) as held:
        assert held
        (cell,) = read_cells(tmp_path / "runs").records
    assert cell.record.status == "running"
