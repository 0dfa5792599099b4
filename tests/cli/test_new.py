"""``new``: what it writes runs as it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scribblebench.cli.main import main
from scribblebench.store.record import read_records


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


def run(*words: str) -> list[str]:
    """Train the cells of one rate for an epoch on a new dataset, and return the methods that are done."""
    small = ("--rates", "0", "--set", "epochs=1", "--jobs", "1")
    main(["run", "--cards", "my-cards", *small, *words])
    return [r.method for r in read_records(Path("results/runs")).records if r.status == "done"]


def test_method_loss_dataset_and_grid_run_together(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (("method", "mine"), ("loss", "sure_loss"), ("dataset", "cells"), ("grid", "small")):
        main(["new", *words])
    assert "Next: scribblebench run --cards my-cards --grid small" in capsys.readouterr().out
    done = run("--grid", "small", "--dataset", "cells", "--methods", "mine,sure_loss")
    assert sorted(done) == ["mine", "sure_loss"]


def test_the_test_of_a_new_loss_passes() -> None:
    main(["new", "loss", "sure_loss"])
    call = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "my-cards/test_sure_loss.py"]
    answer = subprocess.run(call, capture_output=True, text=True, check=False)
    assert "1 passed" in answer.stdout, answer.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("method baseline", "There is a method 'baseline' already"),
        ("method ../x", "cannot be a name"),
        ("loss my-loss", "letters a-z, digits and _"),
        ("grid taken", "taken.yaml exists"),
    ],
)
def test_nothing_is_written_over(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    taken = Path("my-cards/grids/taken.yaml")
    taken.parent.mkdir(parents=True)
    taken.write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["new", *words.split()])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert [path for path in Path().rglob("*") if path.is_file()] == [taken]
    assert taken.read_text(encoding="utf-8") == "mine"
