"""A small grid, and what its onlookers are shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scribblebench.cli.main import main


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    main(list(arguments))
    return capsys.readouterr().out.splitlines()


def test_from_the_forecast_to_the_last_lock(mini: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(methods: str, *more: str) -> list[str]:
        options = ["--data-dir", str(mini), "--rates", "0", "--set", "epochs=1", "--jobs", "1", *more]
        return said(capsys, "run", "--grid", "shrink", "--methods", methods, *options)

    *_, cost, last = run("baseline", "--dry-run")
    assert cost.startswith("No like cell is done")
    assert last == "1 cells, 1 missing"
    assert not Path("results").exists()

    run("baseline", "--quiet")
    (log,) = Path("results/runs/grids").glob("shrink-*.log")
    assert re.search(r"^20\S+ .*: epoch 1/1 loss \d", log.read_text(encoding="utf-8"), re.MULTILINE)

    done, missing, cost, _ = run("baseline,rw", "--dry-run")
    assert done.startswith("done ")
    assert re.search(r"^missing .* about \d+ s, \d+ MiB \(1 of other methods\)$", missing)
    assert re.search(r"^about \d+ s with 1 at once, [\d,]+ MiB of memory; [\d,]+ MiB of disk", cost)

    heading, summary = said(capsys, "status")
    assert heading.startswith("shrink, started ")
    assert summary == "1 cells: 1 done"
    assert said(capsys, "clean", "--dry-run")[-1].startswith("2 would be removed")
    assert said(capsys, "clean")[-1].startswith("2 removed")
    assert not list(Path("results").rglob("*.lock"))
    assert said(capsys, "status", "--all") == [heading, summary]


def test_no_room_for_the_weights(
    mini: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scribblebench.grid.forecast.free_space", lambda folder: 2**20)
    with pytest.raises(SystemExit) as ended:
        main(["run", "--grid", "shrink", "--rates", "0", "--dry-run", "--data-dir", str(mini)])
    assert ended.value.code == 2
    assert "has 1 MiB free, the weights of this grid need" in capsys.readouterr().err


def test_help_names_every_command_without_importing_one(capsys: pytest.CaptureFixture[str]) -> None:
    lines = said(capsys, "--help")
    listed = [line for line in lines[lines.index("Commands:") + 1 :] if line.strip()]
    assert {"clean", "make-dataset", "run", "status"} <= {line.split()[0] for line in listed}
    assert all(len(line) <= 80 for line in listed)
    assert "  make-dataset  Make degraded scribbles: label maps, strokes and a manifest" in listed
