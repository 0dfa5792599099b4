from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scribblebench.core.errors import UserError
from scribblebench.report.collect import NONE, Variant, gather, read_cells
from scribblebench.store.record import confusion_path


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
