"""Every command in README.md and docs runs to its end, with small settings: an epoch, a cell, 24 scenes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.cli.main import main
from scribblebench.core.library import Library
from shell_commands import ROOT, Shown, shown

pytestmark = pytest.mark.slow

# Names of folders that the documents put a dataset's place in.
VOC, TOY = ("VOC2012", "VOC", "VOC-SUBSET"), ("fresh", "held-out")
# What a command asks of the world that a test cannot give.
ELSEWHERE = {
    "cuda": "needs a CUDA device",
    "cuda:1": "needs two CUDA devices",
    "slurm": "needs Slurm: make cluster",
    "fetch": "needs a network",
    "--watch": "never ends",
    "--weights": "needs weights trained on ImageNet",
}


def like_voc(toy: Path, folder: Path) -> None:
    """Copy toy scenes as photographs and strokes of PASCAL VOC's layout and names."""
    shutil.copytree(toy, folder)
    for picture in (folder / "JPEGImages").glob("*.png"):
        Image.open(picture).convert("RGB").save(picture.with_suffix(".jpg"))
        picture.unlink()
    library = Library()
    names = dict(zip(library.dataset("toy").classes, library.dataset("voc2012").classes, strict=False))
    for file in (folder / "scribble_annotation").rglob("*.xml"):
        text = file.read_text(encoding="utf-8")
        for ours, theirs in names.items():
            text = text.replace(f"<tag>{ours}</tag>", f"<tag>{theirs}</tag>")
        file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def workplace(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the documents take for granted; later commands find what earlier ones made."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "results").mkdir()
    (folder / "results/measured").symlink_to(ROOT / "results/measured")
    (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
    shutil.copytree(mini, folder / "data/toy/source")
    like_voc(mini, folder / VOC[0])
    for name, to in ((VOC[1], VOC[0]), (VOC[2], VOC[0]), *((name, "data/toy/source") for name in TOY)):
        (folder / name).symlink_to(to)
    masks = sorted((mini / "SegmentationClassAug").glob("val_*.png"))
    for place in ("out", "photographs"):
        (folder / place).mkdir()
    for mask in masks:
        labels = np.asarray(Image.open(mask))
        Image.fromarray(np.where(labels == 255, 0, labels).astype(np.uint8)).save(folder / "out" / mask.name)
    picture = Image.open(mini / "JPEGImages" / masks[0].name).convert("RGB")
    for name in ("holiday.jpg", "photographs/one.jpg"):
        picture.save(folder / name)
    return folder


def small(arguments: tuple[str, ...]) -> list[str]:
    """Cut a command of "run" down to a cell, or to a look at its data where its network is of full size."""
    words = list(arguments)
    if words[0] != "run" or "--help" in words:
        return words
    for option in ("--rates", "--seeds"):
        if option in words:
            at = words.index(option) + 1
            words[at] = words[at].split(",")[0]
    if "--dataset" in words or "efficiency" in words or "--collect" in words:
        return [*words, "--dry-run"]
    return [*words, "--set", "epochs=1"]


@pytest.mark.parametrize("command", shown(), ids=str)
def test_it_runs(command: Shown, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for word, reason in ELSEWHERE.items():
        if word in command.arguments:
            pytest.skip(reason)
    monkeypatch.chdir(workplace)
    assert main(small(command.arguments)) == 0
