"""What onlookers read, and what may be cleaned away."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import pytest

from scribblebench.core.errors import UserError
from scribblebench.grid.clean import KINDS, Folders, in_use, remove, rubbish
from scribblebench.grid.estimate import Estimates
from scribblebench.grid.plan import planned
from scribblebench.grid.status import Status, status, table
from scribblebench.store.lock import is_held, try_lock
from scribblebench.store.plan import write_plan
from scribblebench.store.progress import Progress, ProgressFile, progress_path, read_progress
from scribblebench.store.record import Record, lock_path, record_path, write_record
from scribblebench.training.cell import Cell
from scribblebench.training.data import Places
from scribblebench.training.run_cell import blank_record


def finished(cell: Cell, places: Places, seconds: float) -> Record:
    blank = blank_record(cell, places)
    return msgspec.structs.replace(blank, status="done", miou=0.5, seconds=seconds, peak_memory_mb=100.0)


def test_every_standing_has_its_line_and_the_rest_its_time(make_cell: Any, places: Places) -> None:
    done, running, failed, missing = (make_cell("rw", seed=seed) for seed in range(4))
    runs = places.runs
    write_plan(runs, planned("mine", [done, running, failed, missing], places, 1))
    write_record(runs, finished(done, places, 60.0))
    broken = msgspec.structs.replace(blank_record(failed, places), status="failed", reason="no luck")
    write_record(runs, broken)
    write_record(runs, blank_record(running, places))
    progress_path(runs, running.slug).parent.mkdir()
    now = Progress("epoch", 3, 4, seconds=40.0, counted=2)
    progress_path(runs, running.slug).write_bytes(msgspec.json.encode(now))
    with try_lock(lock_path(runs, running.slug)):
        found = status(runs)
    assert found.counts == {"done": 1, "running": 1, "failed": 1, "missing": 1}
    lines = list(table(found))
    assert f"process {os.getpid()} on" in lines[0]
    assert lines[1].startswith(f"running      {running.slug}  epoch 3/4, 20 s left, process {os.getpid()} on")
    assert lines[2] == f"failed       {failed.slug}  no luck"
    assert lines[3] == f"missing      {missing.slug}"
    # 20 s of the one that runs and a minute of the missing one, one after the other
    assert lines[-1] == "4 cells: 1 done, 1 running, 1 failed, 1 missing; about 1 min left"
    # without its lock it is nobody's, and 60 s are to come twice
    assert list(table(status(runs)))[-1].endswith("1 failed, 1 interrupted, 1 missing; about 2 min left")


def test_which_grid_is_looked_at(make_cell: Any, places: Places) -> None:
    first, second, of_no_grid = (make_cell("rw", seed=seed) for seed in range(3))
    with pytest.raises(UserError, match="No folder"):
        status(places.runs)
    for name, cell, when in (("one", first, "2030-01-02"), ("two", second, "2030-01-01")):
        plan = planned(name, [cell], places, 2)
        write_plan(places.runs, msgspec.structs.replace(plan, started=when))
    write_record(places.runs, finished(of_no_grid, places, 1.0))

    def slugs(found: Status) -> set[str]:
        return {line.slug for line in found.lines}

    assert slugs(status(places.runs)) == {first.slug}
    assert slugs(status(places.runs, "two")) == {second.slug}
    assert slugs(status(places.runs, every=True)) == {first.slug, second.slug, of_no_grid.slug}
    with pytest.raises(UserError, match=r"No grid 'three' was started in .* Those that were: one, two"):
        status(places.runs, "three")


def test_estimates_prefer_cells_of_the_same_method(make_cell: Any, places: Places) -> None:
    rw, other, longer = make_cell("rw"), make_cell("baseline"), make_cell("rw", epochs=9)
    records = [finished(rw, places, seconds) for seconds in (10, 14, 90)]
    records.append(finished(other, places, 1000))
    estimates = Estimates(records)
    cells = planned("g", [rw, make_cell("rw-ss"), longer], places, 1).cells
    first, second, third = (estimates.of(cell) for cell in cells)
    assert first is not None
    assert (first.seconds, first.basis) == (14, "3 of its method")
    assert second is not None
    assert (second.seconds, second.basis) == (52, "4 of other methods")  # the median of 10, 14, 90 and 1000
    assert third is None


def test_progress_counts_only_what_it_saw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 100.0, 100.5, 110.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    file = ProgressFile(tmp_path, "cell")
    file.tell("epoch", 11, 20)  # resumed: ten epochs were another process's
    file.tell("epoch", 12, 20)  # too soon to write again
    assert read_progress(tmp_path, "cell") == Progress("epoch", 11, 20, 0.0, 0)
    file.tell("epoch", 16, 20)
    found = read_progress(tmp_path, "cell")
    assert found == Progress("epoch", 16, 20, 10.0, 5)
    assert found.left == 8.0
    file.remove()
    assert read_progress(tmp_path, "cell") is None


@pytest.fixture
def littered(tmp_path: Path) -> tuple[Path, dict[str, list[Path]], list[Path]]:
    """A folder with rubbish of every kind, and what must stay."""
    runs = tmp_path / "runs"
    left = f".a.json.elsewhere.{2**22 + 1}.0123abcd.tmp"
    litter = {
        "prefixes": [runs / "checkpoints/prefix-a.safetensors"],
        "stages": [runs / "label-maps/labels-a/x.png"],
        "partial": [runs / "checkpoints/b.partial.safetensors"],
        "photographs": [tmp_path / "data/voc2012/.photographs-a-b.bin"],
        "damaged": [runs / "checkpoints/c.safetensors.damaged"],
        "temporary": [runs / left, tmp_path / "data/voc2012" / left],
        "progress": [runs / "progress/cell.json"],
        "locks": [
            runs / "cell.lock",
            runs / "checkpoints/b.lock",
            tmp_path / "data/voc2012/.photographs-a.lock",
        ],
    }
    kept = [runs / name for name in ("a.json", "a.npz", "a.log", "checkpoints/b.safetensors", "grids/g.json")]
    for path in [*(path for paths in litter.values() for path in paths), *kept]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    for path in litter["temporary"]:
        os.utime(path, (0, 0))
    return runs, litter, kept


@pytest.mark.parametrize("kind", KINDS)
def test_cleaning_removes_one_kind_and_never_a_result(
    littered: tuple[Path, dict[str, list[Path]], list[Path]], kind: str
) -> None:
    runs, litter, kept = littered
    found = rubbish(Folders(runs, runs.parent / "data"), (kind,))
    assert sum(each.size for each in found) == 5 * len(litter[kind])
    assert all(remove(each) for each in found)
    assert not any(path.exists() for path in litter[kind])
    others = [path for name, paths in litter.items() if name not in (kind, "locks") for path in paths]
    assert all(path.exists() for path in [*others, *kept])


def test_while_a_cell_runs_its_things_stay(
    littered: tuple[Path, dict[str, list[Path]], list[Path]],
) -> None:
    runs, litter, _ = littered
    at, every = Folders(runs, runs.parent / "data"), tuple(KINDS)
    with try_lock(runs / "cell.lock"):
        assert {each.kind for each in rubbish(at, every)} == {"damaged", "temporary", "locks"}
        assert in_use(at, every) == ["prefixes", "stages", "partial", "photographs"]
        for each in rubbish(at, every):
            remove(each)
        assert is_held(runs / "cell.lock")
    assert litter["progress"][0].exists()
    assert in_use(at, every) == []


def test_a_lock_that_was_cleaned_away_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    """Who holds a file without a name holds nothing: another would take the new one."""
    path = record_path(tmp_path, "cell").with_suffix(".lock")
    with try_lock(path) as held:
        assert held
        path.unlink()
    with try_lock(path) as held, try_lock(path) as again:
        assert (held, again) == (True, False)
        assert path.exists()
