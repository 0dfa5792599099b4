"""Whatever is raised, the user reads one line, and the exit code says whose fault it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import click
import pytest
from PIL import Image

from scribblebench.cli import stats
from scribblebench.cli.main import main


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let a command raise."""

    def callback(**options: object) -> None:
        del options
        raise error

    monkeypatch.setattr(stats, "command", click.Command("stats", callback=callback))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (MemoryError(), 2, "Out of memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), 2, "Out of memory"),
        (Image.DecompressionBombError("Image size (9 pixels)"), 2, "too many pixels"),
        (PermissionError(13, "Permission denied", "strokes.json"), 2, "strokes.json: Permission denied"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2, "not UTF-8"),
        (zlib.error("Error -3\nwhile decompressing"), 2, "compressed file is damaged: Error -3 while"),
        (OverflowError("int too large"), 2, "number is too large"),
        (RecursionError("maximum recursion depth exceeded"), 2, "nested too deeply"),
        (ModuleNotFoundError("No module named 'torchvision'"), 2, "torchvision"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (KeyError("logits"), 70, "Internal error: KeyError: 'logits'"),
        (AssertionError(), 70, "Internal error: AssertionError"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_each_family_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(monkeypatch, error)
    with pytest.raises(SystemExit) as ended:
        main(["stats"])
    (line,) = filter(None, capsys.readouterr().err.splitlines())
    assert ended.value.code == code
    assert said in line
    kept = re.search(r"traceback is in (\S+)\.$", line)
    assert (kept is not None) == (code == 70)
    if kept:
        assert "raise error" in Path(kept[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize("arguments", [["--debug", "stats"], ["stats", "--debug"]])
def test_debug_shows_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    raising(monkeypatch, OverflowError("int too large"))
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "raise error" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams_take_nothing_and_break_nothing(tmp_path: Path, closed: str) -> None:
    program = f"{sys.executable} -m scribblebench"
    answer = subprocess.run(
        [
            "/bin/sh",
            "-c",
            f"{program} list methods {closed}; echo $? >seen; {program} report {closed}; echo $? >>seen",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (tmp_path / "seen").read_text(encoding="utf-8").split() == ["0", "2"]
    assert "Traceback" not in answer.stderr
    assert "No folder" not in answer.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["list"], ["report", "--help"]])
def test_a_closed_pipe_is_no_error_of_ours(tmp_path: Path, arguments: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        answer = subprocess.run(
            [sys.executable, "-m", "scribblebench", *arguments],
            cwd=tmp_path,
            stdout=pipe,
            stderr=subprocess.PIPE,
        )
    assert (answer.returncode, answer.stderr) == (141, b"")


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX pipes")
def test_training_outlives_those_who_watch_it(mini: Path, tmp_path: Path) -> None:
    """Progress goes to stderr; a cell is not failed because its reader, such as 'head', has gone."""
    read, write = os.pipe()
    os.close(read)
    arguments = (
        f"run --grid shrink --methods baseline --rates 0 --data-dir {mini} --set epochs=1 --device cpu"
    )
    with os.fdopen(write, "wb") as pipe:
        answer = subprocess.run(
            [sys.executable, "-m", "scribblebench", *arguments.split()],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=pipe,
            text=True,
        )
    assert answer.returncode == 0
    assert "1 cells, 1 run now, 0 failed" in answer.stdout
