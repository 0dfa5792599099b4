from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scribblebench.core.errors import UserError
from scribblebench.store import lock
from scribblebench.store.lock import holder, is_held, try_lock, wait_lock

HOLD = """
import errno, fcntl, sys, pathlib
from scribblebench.core.errors import UserError
from scribblebench.store import lock
if sys.argv[2] == "lease":
    def flock(*_): raise OSError(errno.ENOSYS, "Function not implemented")
    fcntl.flock, lock.LEASE = flock, 0.5
with lock.try_lock(pathlib.Path(sys.argv[1])) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["flock", "lease"])
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of locking; the second as on a file system without flock, with short leases."""
    if request.param == "lease":
        without_flock(monkeypatch)
    return str(request.param)


def without_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(lock, "LEASE", 0.5)


@contextmanager
def another_process(path: Path, kind: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        try:
            yield process
        finally:
            process.kill()


def test_another_process_does_not_get_the_lock_until_its_holder_is_gone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "runs" / "cell.lock"
    assert not is_held(path)
    with another_process(path, kind) as process:
        with try_lock(path) as held:
            assert not held
        assert is_held(path)
        assert f"process {process.pid} on " in holder(path)
        process.kill()  # as a crash: nothing is tidied up
        process.wait()
        assert not is_held(path)
        with try_lock(path) as held:
            assert held


def test_the_lock_is_free_after_the_block(tmp_path: Path, kind: str) -> None:
    for _ in range(2):
        with try_lock(tmp_path / "lock") as held:
            assert held
            assert is_held(tmp_path / "lock")
            with try_lock(tmp_path / "lock") as again:
                assert not again
        assert not is_held(tmp_path / "lock")


def test_a_frozen_holder_is_waited_for_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.2)
    path = tmp_path / "stage.lock"
    with another_process(path, "flock") as process:
        process.send_signal(signal.SIGSTOP)
        later = threading.Timer(1.0, process.kill)
        later.start()
        with wait_lock(path):
            assert f"Waiting for process {process.pid} on" in caplog.text
            assert str(path) in caplog.text
        later.join()


@pytest.mark.parametrize("content", ["", "garbled\x00", "another host"])
def test_a_lease_without_a_sign_of_life_is_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    path = tmp_path / "cell.lock"
    with another_process(path, "lease") as process:
        marker = path.with_name(f"{path.name}.lease")
        live = marker.read_text(encoding="utf-8")
        process.kill()
    without_flock(monkeypatch)
    host = os.uname().nodename
    assert host in live
    marker.write_text(live.replace(host, "elsewhere") if content == "another host" else content)
    os.utime(marker, (time.time() - 100, time.time() - 100))
    assert not is_held(path)
    with try_lock(path) as held:
        assert held


def test_a_lease_of_another_host_that_is_kept_up_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cell.lock"
    without_flock(monkeypatch)
    with try_lock(path) as ours:
        assert ours
        marker = path.with_name(f"{path.name}.lease")
        marker_text = marker.read_text(encoding="utf-8").replace(os.uname().nodename, "elsewhere")
        marker.write_text(marker_text, encoding="utf-8")
        time.sleep(2 * lock.LEASE)  # our own heartbeat stands for the other host's
        with try_lock(path) as held:
            assert not held
        assert is_held(path)


def test_a_folder_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="Cannot lock"), try_lock(tmp_path / "file" / "lock"):
        pass
