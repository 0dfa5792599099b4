"""``list``, and what shells complete."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from scribblebench.cli.main import main, scribblebench

GOOD = """\
name: good
title: Good
paper: {key: me2030, year: 2030, title: Mine}
network: {head: plain}
losses: [{part: partial_cross_entropy}]
"""


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    main(["list", *words])
    return capsys.readouterr().out


def test_what_a_card_holds(capsys: pytest.CaptureFixture[str]) -> None:
    (card,) = json.loads(shown(capsys, "method", "rw-ss", "--json"))
    assert card["fields"]["losses"][1]["options"]["transform"] == "random"
    rows = dict(line.split(maxsplit=1) for line in shown(capsys, "protocol", "toy").splitlines())
    assert rows["optimizer.lr"] == "0.006"
    assert rows["augmentation.flip_odds"] == "0.5"  # a default


def test_parts_and_their_options(capsys: pytest.CaptureFixture[str]) -> None:
    listed = json.loads(shown(capsys, "losses", "optimizers", "--json"))
    assert "gated_crf" in [line["name"] for line in listed["losses"]]
    assert [line["name"] for line in listed["optimizers"]] == ["adam", "adamw", "sgd"]
    (part,) = json.loads(shown(capsys, "loss", "gated_crf", "--json"))
    radius = next(option for option in part["options"] if option["name"] == "radius")
    assert radius["default"] == "5"
    assert radius["text"]
    assert "radius" in shown(capsys, "loss", "gated_crf")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("methds", "Unknown kind 'methds'. Did you mean 'methods'?"),
        ("method rwss", "Did you mean 'rw-ss'?"),
        ("loss gated", "Did you mean 'gated_crf'?"),
    ],
)
def test_names_that_are_none(capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["list", *words.split()])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_a_broken_card_is_listed_with_the_reason_and_others_are_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "methods").mkdir()
    (tmp_path / "methods/good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "methods/bad.yaml").write_text("name: bad\nlosses: 3\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["list", "methods", "--cards", str(tmp_path)])
    said = capsys.readouterr()
    assert ended.value.code == 1
    assert "bad.yaml: 4 errors:\n  title: missing." in said.err
    assert "good" in said.out
    main(
        [
            "run",
            "--grid",
            "shrink",
            "--methods",
            "good",
            "--rates",
            "0",
            "--dry-run",
            "--cards",
            str(tmp_path),
        ]
    )
    assert "1 cells, 1 missing" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "incomplete", "offered"),
    [
        ("run --methods", "baseline,rw-ss-z", ["baseline,rw-ss-zero"]),
        ("run --grid", "shr", ["shrink"]),
        ("show --dataset", "v", ["voc2012"]),
        ("run --protocol", "toy", ["toy", "toy-long"]),
        ("list", "metho", ["method", "methods"]),
        ("list grid", "rob", ["robustness"]),
        ("nonsense --grid", "shr", []),
    ],
)
def test_shells_complete_names(line: str, incomplete: str, offered: list[str]) -> None:
    complete = ShellComplete(scribblebench, {}, "scribblebench", "_SCRIBBLEBENCH_COMPLETE")
    assert [item.value for item in complete.get_completions(line.split(), incomplete)] == offered
