from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scribblebench.store.lock import try_lock

HOLD = """
import sys, pathlib
from scribblebench.store.lock import try_lock
with try_lock(pathlib.Path(sys.argv[1])) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_another_process_does_not_get_the_lock_until_its_holder_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "runs" / ".cell.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        with try_lock(path) as held:
            assert not held
        holder.kill()  # as a crash: nothing is tidied up
        holder.wait()
        with try_lock(path) as held:
            assert held


def test_the_lock_is_free_after_the_block(tmp_path: Path) -> None:
    for _ in range(2):
        with try_lock(tmp_path / "lock") as held:
            assert held
            with try_lock(tmp_path / "lock") as again:
                assert not again
