"""The short form of ``benchmarks/torture.py``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE = Path(__file__).parents[2] / "benchmarks" / "torture.py"


def torture(folder: Path, *arguments: str) -> dict[str, int]:
    ended = subprocess.run(
        [sys.executable, str(TORTURE), "--folder", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    counts: dict[str, int] = json.loads(ended.stdout.splitlines()[-2])
    return counts


def test_no_damaged_file_changes_a_number_without_a_word(tmp_path: Path) -> None:
    counts = torture(tmp_path, "--only", "mutations", "--mutations", "32")
    assert counts["mutations"] == 32
    assert sum(count for name, count in counts.items() if ": " in name) == 32
    assert counts["labels: refused"] == 4
    assert counts["silent"] == counts["tracebacks"] == counts["lost"] == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
def test_kills_signals_and_launchers_end_in_the_same_numbers(tmp_path: Path) -> None:
    counts = torture(tmp_path, "--kills", "3", "--signals", "3", "--launchers", "1", "--mutations", "0")
    assert (counts["kills"], counts["signals"], counts["launchers"]) == (3, 3, 3)
    assert counts["equal"] == counts["compared"] > 0
