"""Workers end with the process that they work for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SCRIPT = """
import os, sys, time
from collections.abc import Callable
from pathlib import Path
from scribblebench.sources.workers import in_order

def sign(name):
    (Path(sys.argv[1]) / f"{os.getpid()}").touch()
    time.sleep(0.05 if int(name) < 8 else 3600)

if __name__ == "__main__":
    list(in_order(sign, [str(i) for i in range(10)], 2, 1))
"""


def test_workers_of_a_killed_process_end(tmp_path: Path) -> None:
    script, signs = tmp_path / "script.py", tmp_path / "signs"
    script.write_text(SCRIPT, encoding="utf-8")
    signs.mkdir()
    with subprocess.Popen([sys.executable, str(script), str(signs)]) as process:
        until(lambda: len(list(signs.iterdir())) == 2)
        process.kill()
    until(lambda: not any(Path(f"/proc/{file.name}").exists() for file in signs.iterdir()))


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.1)
