from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scribblebench.cli.main import main
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.sources.variant import open_variant


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def source(mini: Path, tmp_path: Path) -> Path:
    """A copy of the small toy dataset to spoil."""
    folder = tmp_path / "source"
    shutil.copytree(mini, folder)
    return folder


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["make-dataset", *arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_on_a_fresh_machine_one_option_is_enough(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(toy, tmp_path / "data/toy/source")  # generated before, to save the seconds
    main(["make-dataset", "--drop", "0.3"])
    variant = open_variant(tmp_path / "data/toy/drop-0.3-seed0")
    totals = variant.manifest.totals
    assert totals.images == 200
    out = capsys.readouterr().out
    assert f"200 images, {totals.strokes} of {totals.strokes_in_source} strokes (xml)" in out
    assert variant.fingerprint[:16] in out
    main(["verify", "data/toy/drop-0.3-seed0", "--data-dir", "data/toy/source"])
    assert "200 images agree with manifest and data/toy/source" in capsys.readouterr().out


def test_a_grid_of_variants_in_one_call(mini: Path, tmp_path: Path) -> None:
    main(["make-dataset", "--data-dir", str(mini), "--drop", "0.1,0.3", "--out", "grid"])
    main(
        [
            "make-dataset",
            "--data-dir",
            str(mini),
            "--length-ratio",
            "1,0.3,0",
            "--keep",
            "centre",
            "--out",
            "grid",
        ]
    )
    main(["make-dataset", "--data-dir", str(mini), "--drop", "0.2", "--shrink", "0.5,1", "--combine",
          "--out", "grid", "--split", "val", "--seed", "3"])  # fmt: skip
    assert sorted(p.name for p in (tmp_path / "grid").iterdir() if p.is_dir()) == [
        "drop-0.1-seed0",
        "drop-0.2+shrink-0.5-seed3-val",
        "drop-0.2+shrink-1-seed3-val",
        "drop-0.3-seed0",
        "shrink-0-keep=centre-seed0",
        "shrink-0.7-keep=centre-seed0",
        "shrink-1-keep=centre-seed0",
    ]


def test_every_degradation_has_its_option(mini: Path, tmp_path: Path) -> None:
    prints = set()
    for name in DEGRADATIONS.names():
        main(["make-dataset", "--data-dir", str(mini), f"--{name}", "0.9"])
        prints.add(open_variant(tmp_path / f"data/toy/{name}-0.9-seed0").fingerprint)
    assert len(prints) == len(DEGRADATIONS.names())


def test_pen_labels_and_layout_are_recorded_in_the_name(mini: Path, tmp_path: Path) -> None:
    main(
        [
            "make-dataset",
            "--data-dir",
            str(mini),
            "--width",
            "6",
            "--joints",
            "flat",
            "--base",
            "1",
            "--from",
            "masks",
        ]
    )
    name = "none-width=6-joints=flat-base=1-strokes=masks"
    assert open_variant(tmp_path / "data/toy" / name).manifest.source.strokes == "masks"
    main(["make-dataset", "--data-dir", str(mini), "--layout", "urss"])
    assert (tmp_path / "data/toy/none-labels=grey/superpixels").is_dir()


def test_what_was_mended_is_said_once(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = source / "scribble_annotation/pascal_2012/train_000.xml"
    path.write_text(path.read_text().replace("</polygon>", "<point><X>999</X><Y>1</Y></point></polygon>", 1))
    lists = source / "ImageSets/SegmentationAug"
    (lists / "val.txt").write_text((lists / "val.txt").read_text() + "train_001\n")
    main(["make-dataset", "--data-dir", str(source), "--drop", "0.1,0.2"])
    errors = capsys.readouterr().err
    assert errors.count("1 points outside the image, cut off") == 1
    assert errors.count("Warning: 1 ids are in train and val, such as train_001.") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--drop 1.5", "--drop 1.5: give a rate from 0 to 1"),
        ("--drop -0.1", "--drop -0.1: give a rate"),
        ("--shrink nan", "--shrink nan: give a rate"),
        ("--shrink half", "--shrink half: give a rate"),
        ("--drop 0.1,", "--drop 0.1,: give a rate"),
        ("--drop 0.3 --shrink 0.3", "--drop and --shrink are different variants: give one, or add --combine"),
        ("--shrink 0.3 --length-ratio 0.3", "say the same; give one"),
        ("--shrink 0.3 --unit stroke", "--unit belongs to --drop, which is not given"),
        ("--dataset vocc2012", "Unknown dataset 'vocc2012'. Did you mean 'voc2012'?"),
        ("--dataset voc2012", "No folder at data/voc2012/source. Give --data-dir"),
        ("--data-dir nowhere", "No folder at nowhere"),
        ("--split tran", "Unknown split 'tran'. Did you mean 'train'?"),
        ("--drop 0.3 --layout urss --labels palette", "--layout urss is read as grey PNGs"),
        ("--from png", "--from png: no label PNGs in pascal_2012_scribble/"),
        ("--width 0.5", "make-dataset: pen.width: 0.5 does not fit. It takes: number from 1 to 99."),
        ("--cards nowhere", "nowhere"),
    ],
)
def test_bad_input_is_one_clear_line_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path, arguments: str, message: str
) -> None:
    given = arguments.split()
    if not {"--data-dir", "--dataset"} & set(given):
        given += ["--data-dir", str(mini)]
    error = fails(capsys, *given)
    assert message in error
    assert "Traceback" not in error
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_unknown_option_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert "No such option" in fails(capsys, "--drob", "0.3")


def test_a_folder_of_something_else_is_left_alone(
    capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/notes.txt").write_text("mine")
    assert "holds something else" in fails(capsys, "--data-dir", str(mini), "--out", "out")
    assert (tmp_path / "out/notes.txt").read_text() == "mine"


def test_verify_names_what_differs(capsys: pytest.CaptureFixture[str], mini: Path, tmp_path: Path) -> None:
    main(["make-dataset", "--data-dir", str(mini), "--out", "v"])
    (tmp_path / "v/pascal_2012_scribble/train_002.png").unlink()
    with pytest.raises(SystemExit) as ended:
        main(["verify", "v"])
    assert ended.value.code == 2
    assert "pascal_2012_scribble/train_002.png: missing" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["verify", "nowhere"])
    assert "No variant at nowhere: manifest.json is missing" in capsys.readouterr().err


def test_the_dataset_maker_needs_no_torch(mini: Path) -> None:
    script = (
        "import sys; sys.modules['torch'] = sys.modules['torchvision'] = None\n"
        "from scribblebench.cli.main import main\n"
        "main(sys.argv[1:])\n"
    )
    arguments = ["make-dataset", "--data-dir", str(mini), "--shrink", "0.5", "--workers", "1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "24 images" in done.stdout) == (0, True), done.stderr
