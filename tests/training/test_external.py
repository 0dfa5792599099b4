"""Predictions of another program: the same counts, mIoU, intervals and rows as those of their cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from PIL import Image

from scribblebench.cli.main import main
from scribblebench.report.collect import gather
from scribblebench.report.estimates import Estimates
from scribblebench.report.notes import notes
from scribblebench.report.tables.table4 import table4_long
from scribblebench.report.write import write_report
from scribblebench.store.confusion import read_confusion
from scribblebench.store.record import Record, read_records, write_record

CLASSES = ("background", "fish", "starfish", "shell", "turtle", "eel")


@pytest.fixture(scope="module")
def trained(mini: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one method was run undegraded and on shrunk strokes."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = f"--methods rw --rates 0,0.5 --data-dir {mini} --set epochs=2 --jobs 1 --device cpu"
        main(["run", "--grid", "shrink", *options.split()])
    return folder


def other_program(runs: Path, record: Record, source: Path, out: Path) -> None:
    """Predict without this project's evaluation: torch, numpy and Pillow only."""
    from scribblebench.core.library import Library
    from scribblebench.nn.network import build_network
    from scribblebench.training import checkpoint

    network = build_network(Library().protocol("toy"), Library().method("rw"), 6, record.seed)
    checkpoint.load(runs / "checkpoints" / f"{record.training_id}.safetensors", network)
    mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
    for image in (source / "ImageSets/SegmentationAug/val.txt").read_text(encoding="utf-8").split():
        picture = Image.open(source / "JPEGImages" / f"{image}.png").convert("RGB")
        pixels = (torch.tensor(np.asarray(picture)) / 255 - mean) / deviation
        down, right = (-(side - 1) % 8 for side in pixels.shape[:2])
        padded = torch.nn.functional.pad(pixels.permute(2, 0, 1)[None], (0, right, 0, down))
        with torch.inference_mode():
            logits = network.eval()(padded.to(memory_format=torch.channels_last)).logits
        full = torch.nn.functional.interpolate(logits, padded.shape[-2:], mode="bilinear", align_corners=True)
        labels = full[0, :, : picture.height, : picture.width].argmax(dim=0)
        (out / image).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(labels.numpy().astype(np.uint8)).save(out / f"{image}.png")


def test_the_same_numbers_as_the_cell_to_the_last_digit(
    trained: Path, mini: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(trained)
    runs = trained / "results/runs"
    own = {record.kind: record for record in read_records(runs).records}
    for kind, said in (("none", "none"), ("shrink", "shrink:0.5")):
        other_program(runs, own[kind], mini, trained / kind)
        claims = f"--variant {said} --data-dir {mini} --protocol toy --set epochs=2 --title Mine"
        main(["evaluate", "--predictions", kind, "--as", "mine", *claims.split()])
    found = {r.kind: r for r in read_records(runs).records if r.external}
    for kind, record in found.items():
        assert (record.miou, record.iou) == (own[kind].miou, own[kind].iou)
        assert record.confusion_sha256 == own[kind].confusion_sha256
        one, other = (read_confusion(runs, r).matrices for r in (record, own[kind]))
        assert np.array_equal(one, other)
    (group,) = gather([runs]).records
    rows = {(row["method"], row["kind"]): row for row in table4_long([Estimates(group, 200)])}
    theirs = {"method", "title", "paper_miou", "paper_drop_ratio", "seeds_falling"}
    for kind in found:
        mine, ours = ({k: v for k, v in rows[m, kind].items() if k not in theirs} for m in ("mine", "rw"))
        assert mine == ours
    assert any(note.startswith("Predictions of other programs, scored here: mine.") for note in notes(group))
    capsys.readouterr()
    dry = f"run --grid shrink --methods rw --rates 0,0.5 --data-dir {mini} --set epochs=2 --dry-run"
    main(dry.split())
    assert "2 cells, 0 missing" in capsys.readouterr().out  # none of them is taken for a cell


@pytest.fixture
def theirs(mini: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of perfect predictions, in the working folder."""
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    for image in (mini / "ImageSets/SegmentationAug/val.txt").read_text(encoding="utf-8").split():
        mask = np.asarray(Image.open(mini / "SegmentationClassAug" / f"{image}.png"))
        Image.fromarray(np.where(mask == 255, 0, mask).astype(np.uint8)).save(out / f"{image}.png")
    return out


def evaluate(mini: Path, *more: str) -> None:
    main(["evaluate", "--predictions", "out", "--as", "mine", "--data-dir", str(mini), *more])


def test_results_of_no_protocol_of_ours_stand_by_themselves(
    theirs: Path, mini: Path, make_cell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    (theirs / "notes.txt").write_text("made on Monday", encoding="utf-8")
    evaluate(mini, "--variant", "none")
    said = capsys.readouterr()
    assert "mIoU 100.0%" in said.out
    assert "out also holds notes.txt: of no val image, and left out" in said.err
    runs = Path("results/runs")
    (record,) = read_records(runs).records
    cell = make_cell("rw", rate=0.0)
    unfinished = msgspec.structs.replace(
        record,
        **{"external": False, "identity": cell.identity, "cell": cell.id, "slug": cell.slug, "method": "rw"},
        **{"training_id": cell.training_id, "protocol": "toy", "status": "failed", "miou": None, "iou": []},
    )
    write_record(runs, unfinished)
    groups = {group.protocol: group for group in gather([runs]).records}
    assert {name: list(group.methods) for name, group in groups.items()} == {
        "external": ["mine"],
        "toy": ["rw"],
    }
    written = write_report([groups["external"]], Path("report"), 100)  # there is no training to draw
    assert written[0].miou("mine", groups["external"].variants[0]) is not None
    assert not list(Path("report").glob("training*"))


def spoil(path: Path, change: Any) -> None:
    Image.fromarray(change(np.asarray(Image.open(path)).copy())).save(path)


def with_label(labels: np.ndarray) -> np.ndarray:
    labels[3, 4] = 255
    return labels


@pytest.mark.parametrize(
    ("arguments", "change", "message"),
    [
        ("--variant none --as rw", None, "--as rw: a method card has this name"),
        ("--variant none --as a/b", None, "--as: 'a/b' cannot be a name"),
        ("--variant shrnk:0.5", None, "Unknown degradation 'shrnk'. Did you mean 'shrink'?"),
        ("--variant shrink", None, "--variant shrink: write it as KIND:RATE"),
        ("--variant shrink:0.5,1", None, "predictions come of one rate"),
        ("--variant none --protocol tooy", None, "Unknown protocol 'tooy'. Did you mean 'toy'?"),
        ("--variant none --set epochs=2", None, "name the one you kept to with --protocol"),
        ("--variant none --title \x07", None, "--title '\\x07' is empty, or holds a line end"),
        ("--variant none", with_label, "holds the label 255 at row 3, column 4, which is no class"),
        ("--variant none", lambda labels: labels[1:], "its mask"),
        ("--variant none", "missing", "out lacks 1 of 8 predictions: "),
    ],
)
def test_what_cannot_be_scored_is_one_clear_line(
    theirs: Path,
    mini: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    change: Any,
    message: str,
) -> None:
    victim = sorted(theirs.iterdir())[2]
    if change == "missing":
        victim.unlink()
    elif change:
        spoil(victim, change)
    with pytest.raises(SystemExit) as ended:
        evaluate(mini, *arguments.split(" "))
    text = capsys.readouterr().err
    assert (ended.value.code, text.count("\n")) == (2, 1)
    assert message in text
    assert victim.name in text or not change
    assert not Path("results").exists()
