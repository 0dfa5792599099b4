from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from scribblebench.core.errors import UserError
from scribblebench.report.collect import NONE, Variant, gather, read_cells
from scribblebench.report.estimates import Estimates
from scribblebench.report.left_out import left_out
from scribblebench.report.notes import notes
from scribblebench.store.confusion import PerImageConfusion, iou, mean_iou
from scribblebench.store.lock import try_lock
from scribblebench.store.record import confusion_path, lock_path, write_record


def test_a_grid_is_one_group_in_the_papers_order(grid: Path) -> None:
    (group,) = gather([grid]).records
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
    groups = gather([tmp_path / "runs"]).records
    assert sorted([*group.methods] for group in groups) == [["baseline"], ["rw"]]
    assert len({group.name for group in groups}) == 2


def test_a_cell_without_a_result_joins_the_cells_of_its_settings(make: Any, tmp_path: Path) -> None:
    make("baseline")
    make("rw", status="interrupted", reason="Ctrl-C")
    (group,) = gather([tmp_path / "runs"]).records
    assert [cell.record.status for cell in group.cells] == ["done", "interrupted"]


def test_of_two_results_of_a_cell_the_later_counts_and_a_failure_replaces_none(
    make: Any, tmp_path: Path
) -> None:
    make("rw", started="2026-01-01T00:00:00+00:00")
    later = make("rw", started="2026-01-02T00:00:00+00:00", device="cuda")
    make("rw", started="2026-01-03T00:00:00+00:00", status="failed", reason="out of memory")
    (group,) = gather([tmp_path / "runs"]).records
    assert [cell.record.cell for cell in group.cells] == [later.cell]
    assert len(group.superseded) == 2


def test_several_folders_are_read_together_and_filtered(make: Any, tmp_path: Path) -> None:
    make("rw", folder=tmp_path / "a")
    make("rw", folder=tmp_path / "b", dataset="voc2012", protocol="voc-mini")
    folders = [tmp_path / "a", tmp_path / "b"]
    assert len(gather(folders).records) == 2
    assert [group.dataset for group in gather(folders, dataset="toy").records] == ["toy"]
    assert [group.protocol for group in gather(folders, protocol="voc-mini").records] == ["voc-mini"]
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
    assert [cell.record.method for group in gather([runs]).records for cell in group.cells] == ["baseline"]
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
    """Else Table 4 would take a drop ratio across two methods. The last to be run has the bare name."""
    make("rw", identity=definition(), started="2026-01-01T00:00:00+00:00")
    edited = definition(losses=[{"part": "entropy"}])
    make("rw", ("shrink", 0.5), identity=edited, started="2026-01-02T00:00:00+00:00")
    make("baseline", identity=definition())
    (group,) = gather([tmp_path / "runs"]).records
    baseline, bare, marked = sorted(group.methods)
    assert (baseline, bare) == ("baseline", "rw")
    assert re.fullmatch(r"rw \[[0-9a-f]{6}\]", marked)
    shrink = Variant("shrink", 0.5)
    assert [len(group.at(*place)) for place in ((bare, shrink), (marked, NONE))] == [1, 1]
    estimates = Estimates(group, 100)
    assert not any(estimates.drop_ratio(method, shrink) for method in group.methods)
    assert any("rw: different methods bore this name" in note for note in notes(group))


@pytest.mark.parametrize(
    "part",
    [
        {"rules": {"head plain": 2}},
        {"rules": {"loss mine:Loss": "f" * 64}},
        {"network": {"head": "aspp"}},
        {"supervision": "masks"},
    ],
)
def test_what_a_method_is_made_of(make: Any, tmp_path: Path, part: dict[str, Any]) -> None:
    make("rw", identity=definition())
    make("rw", seed=1, identity=definition(**part))
    (group,) = gather([tmp_path / "runs"]).records
    assert len(group.methods) == 2


def degraded(rate: float, **rules: Any) -> dict[str, Any]:
    variant = {"seed": 3, "degradations": [{"kind": "mine:Blur", "rate": rate, "options": {}}]}
    return definition(labels={"strokes": "a", "variant": variant, "rules": {"strokes": 1, **rules}})


def test_an_edited_degradation_is_two_kinds_whatever_the_rates(make: Any, tmp_path: Path) -> None:
    kind = "blur"
    make("rw", identity=definition(labels={"strokes": "a", "rules": {"strokes": 1}, "variant": {}}))
    for rate in (0.2, 0.5):
        make("rw", (kind, rate), identity=degraded(rate, blur="1"))
    (group,) = gather([tmp_path / "runs"]).records
    assert group.kinds == [kind]
    make("rw", (kind, 1.0), seed=1, identity=degraded(1.0, blur="2"))
    (group,) = gather([tmp_path / "runs"]).records
    assert group.rates(kind) == [1.0]
    (marked,) = set(group.kinds) - {kind}
    assert group.rates(marked) == [0.2, 0.5]
    assert any("blur: different degradations" in note for note in notes(group))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"rules": {"training": 2}}, "rules of training"),
        ({"rules": {"training": 1, "backbone tiny": 2}}, "rules of training"),
        ({"photographs": "1" * 64}, "training data"),
        ({"labels": {"strokes": "b", "rules": {"strokes": 1}}}, "strokes"),
        ({"labels": {"strokes": "a", "rules": {"strokes": 2}}}, "strokes"),
    ],
)
def test_tables_of_the_same_names_say_in_what_they_differ(
    make: Any, tmp_path: Path, other: dict[str, Any], what: str
) -> None:
    shared = {"rules": {"training": 1}, "labels": {"strokes": "a", "rules": {"strokes": 1}}}
    make("baseline", identity=definition(**shared))
    make("rw", identity=definition(**{**shared, **other}))
    groups = gather([tmp_path / "runs"]).records
    assert [group.differs for group in groups] == [(what,), (what,)]
    assert all(f"but another {what}" in note for group in groups for note in notes(group))


def test_records_of_the_earlier_schema_stand_apart(make: Any, tmp_path: Path) -> None:
    make("rw")
    make("baseline", schema=1)
    earlier, now = sorted(gather([tmp_path / "runs"]).records, key=lambda group: group.schema)
    assert [list(group.methods) for group in (earlier, now)] == [["baseline"], ["rw"]]
    assert any("earlier schema 1" in note for note in notes(earlier))
    assert not notes(now)


def test_full_supervision_stands_beside_every_source_of_strokes(make: Any, tmp_path: Path) -> None:
    make("rw", identity=definition(labels={"strokes": "a"}))
    make("baseline", identity=definition(labels={"strokes": "b"}))
    make("full", identity=definition(labels={"masks": "m"}, supervision="masks"))
    groups = gather([tmp_path / "runs"]).records
    assert sorted(sorted(group.methods) for group in groups) == [["baseline", "full"], ["full", "rw"]]


def test_warnings_are_told_once_with_their_number(make: Any, tmp_path: Path) -> None:
    for seed in (0, 1):
        make("rw", seed=seed, warnings=("class 'ring' has no true pixel in any val mask",))
    (group,) = gather([tmp_path / "runs"]).records
    assert notes(group) == ["Warning: class 'ring' has no true pixel in any val mask (2 cells)."]


def test_a_dead_process_does_not_run(make: Any, tmp_path: Path) -> None:
    record = make("rw", status="running")
    (cell,) = read_cells(tmp_path / "runs").records
    assert (cell.record.status, cell.record.reason) == ("interrupted", "killed: no process is at it")
    with try_lock(lock_path(tmp_path / "runs", record.slug)) as held:
        assert held
        (cell,) = read_cells(tmp_path / "runs").records
    assert cell.record.status == "running"


def test_cells_of_other_devices_are_said_to_be(make: Any, tmp_path: Path) -> None:
    make("rw", device="x86_64 CPU, 1 threads")
    make("baseline", device="H100")
    (group,) = gather([tmp_path / "runs"]).records
    (note,) = notes(group)
    assert "x86_64 CPU, 1 threads (1 cell)" in note
    assert "H100 (1 cell)" in note


def test_what_is_in_no_table_is_listed_with_its_reason(make: Any, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    make("rw", started="2026-01-01T00:00:00+00:00")
    failed = make("rw", ("shrink", 1.0), status="failed", reason="no\nroom", log="rw.log")
    make("rw", started="2026-01-02T00:00:00+00:00", device="cuda")
    (runs / "half.json").write_text("[", encoding="utf-8")
    found = gather([runs, runs])
    listed = dict(left_out(found.records, found.damaged))
    assert listed[failed.slug] == "failed: no room (traceback in rw.log)"
    assert listed[str(runs / "half.json")].startswith("damaged: ")
    assert [why.partition(":")[0] for why in listed.values()] == ["damaged", "failed", "superseded"]


def test_a_folder_with_damaged_records_only_says_so(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text("[", encoding="utf-8")
    with pytest.raises(UserError, match=r"No record in .* but 1 damaged, such as: .*half\.json"):
        gather([tmp_path])


def test_titles_stay_on_a_line_of_some_length(make: Any, tmp_path: Path) -> None:
    make("rw", method_title="RW\n\x1b[31m" + "very " * 100)
    (group,) = gather([tmp_path / "runs"]).records
    (title,) = group.methods.values()
    assert title.isprintable()
    assert len(title) == 80


def test_two_results_of_one_cell_are_told(make: Any, tmp_path: Path) -> None:
    record = make("rw", folder=tmp_path / "a")
    make("rw", folder=tmp_path / "copy")
    (group,) = gather([tmp_path / "a", tmp_path / "copy"]).records
    assert notes(group) == []
    matrices = PerImageConfusion.load(confusion_path(tmp_path / "copy", record.slug))
    other = PerImageConfusion(matrices.ids, np.minimum(matrices.matrices, 999))
    total = other.total()
    fields = {"miou": mean_iou(total), "iou": iou(total).tolist(), "started": "2031-01-01T00:00:00+00:00"}
    digest = other.save(confusion_path(tmp_path / "copy", record.slug))
    write_record(tmp_path / "copy", msgspec.structs.replace(record, confusion_sha256=digest, **fields))
    (group,) = gather([tmp_path / "a", tmp_path / "copy"]).records
    (note,) = notes(group)
    assert f"{record.slug}: two records of this one cell, with the mIoUs {record.miou:.2%} and" in note
