"""Faults that are made on purpose, and what doctor says of them."""

from __future__ import annotations

import json
import tomllib
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
import torch

from scribblebench.cli.main import main
from scribblebench.core.files import fingerprint
from scribblebench.doctor import Asked, Finding
from scribblebench.doctor.cuda import cuda
from scribblebench.doctor.data import data
from scribblebench.doctor.extras import PURPOSES
from scribblebench.doctor.pair import pair
from scribblebench.doctor.processor import processor
from scribblebench.doctor.results import results
from scribblebench.store.record import Record, confusion_path, slug_of, write_record

ROOT = Path(__file__).parents[2]


def those(found: list[Finding], level: str) -> list[Finding]:
    return [one for one in found if one.level == level]


def record(seed: int, status: str, reason: str = "") -> Record:
    identity = {"training": {"seed": seed}}
    cell = fingerprint(identity)
    return msgspec.convert(
        {
            "cell": cell, "slug": slug_of("toy", "rw", "none", 0.0, seed, cell), "status": status,
            "reason": reason, "method": "rw", "method_title": "RW", "dataset": "toy", "protocol": "toy",
            "kind": "none", "rate": 0.0, "seed": seed, "variant_seed": seed, "identity": identity,
            "training_id": fingerprint(identity["training"]), "classes": ["background", "fish"],
            "started": "2026-01-01T00:00:00+00:00",
        } | ({"miou": 0.5, "iou": [0.5, 0.5], "confusion_sha256": "0" * 64} if status == "done" else {}),
        Record,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("core", "vision", "said"),
    [
        ("1.0.0", "0.29.0", "requires torch >=2.14.0, but torch is 1.0.0"),
        ("2.15.0+cu128", "0.29.0+cpu", "are of different builds"),
    ],
)
def test_torchvision_of_another_torch(
    core: str, vision: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "version", {"torch": core, "torchvision": vision}.__getitem__)
    monkeypatch.setattr(metadata, "requires", lambda name: ["numpy", "torch (>=2.14.0)"])
    (found,) = pair(Asked())
    assert found.level == "wrong"
    assert said in found.text


def test_settings_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_PROC_BIND", "close")
    monkeypatch.setenv("OMP_NUM_THREADS", "100000")
    told = [one.text for one in those(list(processor(Asked())), "warning")]
    assert [text.split("=")[0] for text in told] == ["OMP_NUM_THREADS", "OMP_PROC_BIND"]


def test_what_a_folder_lacks_and_which_archive_has_it(tmp_path: Path) -> None:
    images = tmp_path / "JPEGImages"
    images.mkdir()
    (images / "a.jpg").touch()
    found = list(data(Asked(dataset="voc2012", data_dir=tmp_path)))
    masks, train, val = those(found, "wrong")
    assert "SegmentationClassAug is missing" in masks.text
    assert "from SegmentationClassAug.zip, https://www.dropbox.com" in masks.text
    assert "from train_aug.txt" in train.text
    assert "from VOCtrainval_11-May-2012.tar" in val.text
    (strokes,) = those(found, "warning")
    assert "from scribble_annotation.zip" in strokes.text


def test_a_whole_folder_and_one_photograph_less(mini: Path, tmp_path: Path) -> None:
    asked = Asked(dataset="toy", data_dir=mini)
    assert [one.level for one in data(asked)] == ["ok"]
    copy = tmp_path / "source"
    copy.mkdir()
    for part in mini.iterdir():
        if part.name != "JPEGImages":
            (copy / part.name).symlink_to(part)
    (copy / "JPEGImages").mkdir()
    first, *rest = sorted((mini / "JPEGImages").iterdir())
    for path in rest:
        (copy / "JPEGImages" / path.name).symlink_to(path)
    (found,) = data(Asked(dataset="toy", data_dir=copy))
    assert found.level == "wrong"
    assert found.text.endswith(f"lack photograph or mask: {first.stem}")


def test_records_that_are_damaged_failed_or_without_matrices(tmp_path: Path) -> None:
    for seed in (0, 1):
        write_record(tmp_path, record(seed, "failed", "the loss is not finite"))
    confusion_path(tmp_path, write_record(tmp_path, record(2, "done")).stem).write_bytes(b"another")
    alone = write_record(tmp_path, record(4, "done"))
    path = write_record(tmp_path, record(3, "done"))
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "0.6"), encoding="utf-8")
    found = list(results(Asked(runs=tmp_path)))
    damaged, matrices = those(found, "wrong")
    assert path.name in damaged.text
    assert record(2, "done").slug in matrices.text
    lacking, failed = those(found, "warning")
    assert lacking.text == f"1 of 2 done have no confusion matrices, such as {alone.stem}"
    assert failed.text.startswith("2 failed, such as ")
    assert failed.text.endswith("the loss is not finite")


def test_every_extra_has_a_purpose() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(project["optional-dependencies"]) == set(PURPOSES)


def test_json_and_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(["doctor", "--json"])  # voc2012 is not here, which is a warning
    found = json.loads(capsys.readouterr().out)
    assert {"Python", "CPU", "data toy", "data voc2012", "results"} <= {one["about"] for one in found}
    assert "wrong" not in {one["level"] for one in found}
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--dataset", "voc2012"])
    assert ended.value.code == 1
    assert "\nwrong    data voc2012" in capsys.readouterr().out


def test_cards_that_are_old_or_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the driver: a new card, one without bfloat16, one that another process has to itself."""

    def memory(index: int) -> tuple[int, int]:
        if index == 2:
            raise RuntimeError("CUDA error:\nall devices are busy")
        return 3 * 2**30, 4 * 2**30

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "mem_get_info", memory)
    monkeypatch.setattr(torch.cuda, "get_device_name", ["New", "Old"].__getitem__)
    monkeypatch.setattr(torch.cuda, "get_device_capability", [(8, 6), (7, 5)].__getitem__)
    new, old, slow, taken = cuda(Asked())
    assert (new.level, new.text) == ("ok", "cuda:0 New, 3.0 GiB of 4.0 GiB free")
    assert [one.level for one in (old, slow, taken)] == ["ok", "warning", "warning"]
    assert slow.text.startswith("cuda:1 has no bfloat16")
    assert taken.text == "cuda:2 cannot be used: CUDA error: all devices are busy"
