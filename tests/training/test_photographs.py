"""Decoded photographs that processes share: the same bytes, or made anew."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from scribblebench.loading.images import decode, load_pictures
from scribblebench.training import photographs
from scribblebench.training.photographs import shared_photographs

LONG_AGO = time.time() - 100


def save(path: Path, seed: int) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (*random.integers(9, 20, 2).tolist(), 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, quality=90)
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setattr(photographs, "_FEW", 1)
    monkeypatch.setattr(photographs, "SETTLED", 0)  # nobody can set the time of renaming back
    made = [tmp_path / f"{index}.jpg" for index in range(5)]
    for index, path in enumerate(made):
        save(path, index)
    return made


def require_own(paths: list[Path], folder: Path) -> None:
    sizes = [decode(path, "RGB").shape[:2] for path in paths]
    wanted = load_pictures(lambda index: decode(paths[index], "RGB"), sizes, 3)
    found = shared_photographs(paths, folder)
    assert torch.equal(found.sizes, wanted.sizes)
    assert torch.equal(found.pixels, wanted.pixels)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob(".photographs-*.bin"))


def test_the_second_process_decodes_nothing(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / "toy"
    require_own(paths, folder)
    (file,) = kept(folder)
    before = file.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(photographs, "decode", None)
        assert torch.equal(shared_photographs(paths, folder).pixels, torch.tensor(list(before[:-32])).byte())
    assert not list(folder.glob("*.tmp"))


@pytest.mark.parametrize("damage", ["flip", "cut", "digest"])
def test_a_damaged_file_is_made_anew(paths: list[Path], tmp_path: Path, damage: str) -> None:
    require_own(paths, tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    at = {"flip": 10, "digest": len(whole) - 1}.get(damage)
    file.write_bytes(whole[:-40] if at is None else whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    require_own(paths, tmp_path)
    assert file.read_bytes() == whole


def test_a_changed_photograph_is_decoded_again_and_nothing_old_stays(
    paths: list[Path], tmp_path: Path
) -> None:
    require_own(paths, tmp_path)
    (old,) = kept(tmp_path)
    save(paths[2], 77)
    require_own(paths, tmp_path)
    (new,) = kept(tmp_path)
    assert new != old


@pytest.mark.parametrize("lacking", ["room", "settled", "many"])
def test_otherwise_they_are_decoded_into_memory(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    if lacking == "room":
        monkeypatch.setattr(photographs, "free_space", lambda folder: 100)
    elif lacking == "settled":
        monkeypatch.setattr(photographs, "SETTLED", 10**15)
    else:
        monkeypatch.setattr(photographs, "_FEW", 6)
    require_own(paths, tmp_path)
    assert not kept(tmp_path)
