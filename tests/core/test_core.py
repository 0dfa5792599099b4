from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.cards import TIMING
from scribblebench.core.errors import NoSpaceError, UnknownNameError, UserError
from scribblebench.core.files import building, fingerprint, sweep, write_atomic
from scribblebench.core.seeds import integer_seed, rng, uniform
from scribblebench.losses import LOSSES

names = st.lists(st.one_of(st.text(max_size=8), st.integers(-5, 5)), min_size=1, max_size=4)


@given(names)
def test_a_draw_is_the_hash_of_its_names(given_names: list[str | int]) -> None:
    digest = hashlib.sha256(json.dumps(given_names, ensure_ascii=False).encode()).digest()
    assert uniform(*given_names) == (int.from_bytes(digest[:8], "big") >> 11) * 2.0**-53
    assert 0 <= integer_seed(*given_names) < 2**63


def test_draws_are_uniform_and_uncorrelated() -> None:
    draws = np.array([uniform("test", i) for i in range(20000)])
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8  # chi-squared, 19 degrees of freedom, p = 0.001
    assert abs(np.corrcoef(draws[:-1], draws[1:])[0, 1]) < 0.03


def test_names_are_kept_apart() -> None:
    assert (
        len({uniform("ab", "c"), uniform("a", "bc"), uniform("abc"), uniform("a", 1), uniform("a", "1")}) == 5
    )
    assert rng("a", 0).random() != rng("a", 1).random()


def test_a_folder_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    def interrupted() -> None:
        with building(tmp_path / "out") as aside:
            (aside / "file").write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    with building(tmp_path / "out") as aside:
        assert not (tmp_path / "out").exists()
        (aside / "file").write_text("whole", encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_file_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    with pytest.raises(UserError, match=r"Cannot write .*taken"):
        write_atomic(tmp_path / "taken" / "record.json", "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


FOREIGN = f".data.elsewhere.1.{'0' * 8}.tmp"


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import os, signal; from pathlib import Path; from scribblebench.core.files import building\n"
        f"with building(Path({str(tmp_path / 'data')!r})) as aside:\n"
        "    (aside / 'half').write_text('')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    (left,) = tmp_path.iterdir()
    assert (left / "half").exists()
    with building(tmp_path / "other") as alive:
        (tmp_path / FOREIGN).mkdir()  # of another host, whose processes nobody here can see
        (tmp_path / ".data.tmp").mkdir()  # not ours
        sweep(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {alive.name, FOREIGN, ".data.tmp"}
    os.utime(tmp_path / FOREIGN, (0, 0))
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"other", ".data.tmp"}


def test_a_full_disk_is_told_from_other_troubles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_atomic(tmp_path / "kept", "whole")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NoSpaceError, match="No space left"):
        write_atomic(tmp_path / "kept", "half")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["whole"]


def test_parts_are_found_by_the_name_of_their_file() -> None:
    assert LOSSES.get("entropy").__name__ == "Entropy"
    assert LOSSES.get("scribblebench.losses.entropy:Entropy") is LOSSES.get("entropy")
    with pytest.raises(UnknownNameError, match="Did you mean 'entropy'"):
        LOSSES.get("entropi")
    with pytest.raises(UserError, match=r"Cannot load the loss 'nowhere:Loss'"):
        LOSSES.get("nowhere:Loss")
    with pytest.raises(UserError, match=r"here: loss 'entropy': weigth: .*It has: include_padding\."):
        LOSSES.build("entropy", {"weigth": 1}, "here")
    with pytest.raises(UserError, match=r"weigth: no such field. Did you mean 'weight'\?"):
        LOSSES.build("entropy", {"weigth": 1}, "here", TIMING)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("raise SystemExit('bye')", r"SystemExit: bye"),
        ("raise SystemExit", r"SystemExit\. Give"),
        ("{}['gone']", r"KeyError: 'gone'"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("class Mine(", r"never closed.*line 1"),
        ("", "has no attribute 'Mine'"),
        ("from os import system as Mine", "is no subclass of"),
        ("class Mine: pass", "is no subclass of"),
    ],
)
def test_a_users_module_that_gives_no_part_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, why: str
) -> None:
    name = f"part_{fingerprint(source)[:8]}"  # modules are imported once a process
    (tmp_path / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UserError, match=why) as refused:
        LOSSES.get(f"{name}:Mine")
    assert "\n" not in str(refused.value)
