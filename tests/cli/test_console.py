"""Any console and any pipe: no traceback, whatever characters it lacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scribblebench.core.library import Library


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scribblebench", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        encoding=environment.get("PYTHONIOENCODING", "utf-8"),
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp437", "gbk"])
def test_consoles_that_lack_characters(tmp_path: Path, encoding: str) -> None:
    card = tmp_path / "cards/methods/daggers.yaml"
    card.parent.mkdir(parents=True)
    text = (
        "name: daggers\ntitle: 'Dagger \u2020, minus \u2212, \u0144'\npaper: {key: k, year: 2030, title: T}\n"
    )
    card.write_text(text + "network: {head: plain}\nlosses: []\n", encoding="utf-8")
    answer = run("list", "methods", "--cards", "cards", cwd=tmp_path, PYTHONIOENCODING=encoding, COLUMNS="40")
    assert answer.returncode == 0
    assert "Traceback" not in answer.stderr
    assert "daggers" in answer.stdout


def test_a_reader_that_has_seen_enough(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "scribblebench", "list"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode in (0, 1)  # rich says 1


def test_hidden_twins_of_cards_are_nobodys(tmp_path: Path) -> None:
    folder = tmp_path / "methods"
    folder.mkdir()
    (folder / "._baseline.yaml").write_bytes(b"\0\5\x16\7Mac OS X")
    assert Library(tmp_path).names("methods") == Library().names("methods")
