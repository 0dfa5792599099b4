"""Every command in README.md and docs runs to its end, with small settings: two epochs, a cell, 24 scenes."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from functools import cache
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
    "COMMAND": "a placeholder",
    "DIR": "a placeholder",
    "cuda": "needs a CUDA device",
    "cuda:1": "needs two CUDA devices",
    "slurm": "needs Slurm: make cluster",
    "fetch": "needs a network",
    "--watch": "never ends",
    "--weights": "needs weights trained on ImageNet",
    "walk": "needs weights trained on ImageNet",
}
QUICK = ["--set", "epochs=2"]


def like_voc(toy: Path, folder: Path) -> None:
    """Copy toy scenes as photographs, strokes and boxes of PASCAL VOC's layout and names."""
    shutil.copytree(toy, folder)
    for picture in (folder / "JPEGImages").glob("*.png"):
        Image.open(picture).convert("RGB").save(picture.with_suffix(".jpg"))
        picture.unlink()
    library = Library()
    names = dict(zip(library.dataset("toy").classes, library.dataset("voc2012").classes, strict=False))
    for file in (*(folder / "scribble_annotation").rglob("*.xml"), *(folder / "Annotations").glob("*.xml")):
        text = file.read_text(encoding="utf-8")
        for ours, theirs in names.items():
            for element in ("tag", "name"):
                text = text.replace(f"<{element}>{ours}<", f"<{element}>{theirs}<")
        file.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def workplaces(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Folders with what the documents take for granted, one a document: its commands follow each other."""

    @cache
    def workplace(document: str) -> Path:
        folder = tmp_path_factory.mktemp(Path(document).stem)
        (folder / "results").mkdir()
        (folder / "results/measured").symlink_to(ROOT / "results/measured")
        (folder / "benchmarks").symlink_to(ROOT / "benchmarks")
        shutil.copytree(mini, folder / "data/toy/source")
        like_voc(mini, folder / VOC[0])
        for name, to in ((VOC[1], VOC[0]), (VOC[2], VOC[0]), *((name, "data/toy/source") for name in TOY)):
            (folder / name).symlink_to(to)
        files_of_others(mini, folder)
        cards_of(ROOT / document, folder)
        return folder

    return workplace


def files_of_others(toy: Path, folder: Path) -> None:
    """Write predictions, photographs and claims as a reader has them."""
    masks = sorted((toy / "SegmentationClassAug").glob("val_*.png"))
    for place in ("out", "photographs"):
        (folder / place).mkdir()
    for mask in masks:
        labels = np.asarray(Image.open(mask))
        Image.fromarray(np.where(labels == 255, 0, labels).astype(np.uint8)).save(folder / "out" / mask.name)
    picture = Image.open(toy / "JPEGImages" / masks[0].name).convert("RGB")
    for name in ("holiday.jpg", "photographs/one.jpg"):
        picture.save(folder / name)
    claim = "worse,better,quantity,kind,source\nbaseline,rw,miou,none,ours\n"
    (folder / "mine.csv").write_text(claim, encoding="utf-8")


def cards_of(document: Path, folder: Path) -> None:
    """Write the cards that a document shows below their names."""
    for name, card in re.findall(r"`(my-cards/\S+\.yaml)`:\n\n```yaml\n(.*?)```", document.read_text(), re.S):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(card, encoding="utf-8")


def before(words: list[str], folder: Path) -> list[str]:
    """Return a command that a reader gave earlier: one that trains what this one shows; or nothing."""
    trained = ["run", "--grid", "shrink", "--seeds", "0", *QUICK]
    if words[0] == "figures":
        method = words[words.index("--method") + 1] if "--method" in words else "rw-ss"
        return [*trained, "--methods", method, "--rates", "0"]
    if words[0] in ("predict", "export"):
        return [*trained, "--methods", "rw-ss", "--rates", "0,0.5"]
    fresh = not (folder / "results/runs").exists()
    if words[0] == "panels" or (words[0] in ("report", "clean", "status") and fresh):
        return [*trained, "--methods", "baseline,rw-ss", "--rates", "0", "--keep-predictions"]
    return []


def small(words: list[str]) -> list[str]:
    """Cut a command down: few images, a cell, or a look at its data where its network is of full size."""
    if "--images" in words:
        at = words.index("--images") + 1
        words = [*words[:at], re.sub(r"_\d+", "_000", words[at].split(",")[0]), *words[at + 1 :]]
    if words[0] == "figures":
        return [*words, *QUICK]
    if words[0] == "report" and "voc-mini-half" in words:
        return [*words, "--runs", "results/measured/photographs-cpu"]
    if words[0] != "run" or "--help" in words:
        return words
    for option in ("--rates", "--seeds"):
        if option in words:
            at = words.index(option) + 1
            words = [*words[:at], words[at].split(",")[0], *words[at + 1 :]]
    if "--dataset" in words or "efficiency" in words or "--collect" in words:
        return [*words, "--dry-run"]
    return [*words, *QUICK]


@pytest.mark.parametrize("command", shown(), ids=str)
def test_it_runs(command: Shown, workplaces: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    words = list(command.arguments)
    for word, reason in ELSEWHERE.items():
        if word in words:
            pytest.skip(reason)
    folder = workplaces(command.file)
    monkeypatch.chdir(folder)
    if earlier := before(words, folder):
        main(earlier)
    main(small(words))  # leaves with SystemExit where something is wrong
