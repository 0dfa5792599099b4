"""``show`` and ``stats``, from end to end on a folder of two images whose every number is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scribblebench.cli.main import main

WIDTH, HEIGHT = 60, 40
PLANE = (128, 0, 0)
POLYGON = "<polygon><tag>{tag}</tag>{points}</polygon>"
POINT = "<point><X>{x}</X><Y>{y}</Y></point>"


def annotation(*strokes: tuple[str, list[tuple[int, int]]]) -> str:
    polygons = "".join(
        POLYGON.format(tag=tag, points="".join(POINT.format(x=x, y=y) for x, y in points))
        for tag, points in strokes
    )
    size = f"<size><width>{WIDTH}</width><height>{HEIGHT}</height></size>"
    return f"<annotation>{size}{polygons}</annotation>"


@pytest.fixture
def voc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "VOC"
    drawings = {
        "one": annotation(("background", [(5, 5), (45, 5)]), ("plane", [(10, 20), (40, 20), (40, 30)])),
        "two": annotation(("background", [(5, 5), (5, 35)])),
    }
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[15:35, 5:45] = 1
    for folder in ("JPEGImages", "SegmentationClassAug", "scribble_annotation/pascal_2012",
                   "ImageSets/SegmentationAug"):  # fmt: skip
        (root / folder).mkdir(parents=True)
    for image, drawing in drawings.items():
        Image.new("RGB", (WIDTH, HEIGHT), "skyblue").save(root / "JPEGImages" / f"{image}.jpg")
        Image.fromarray(mask).save(root / "SegmentationClassAug" / f"{image}.png")
        path = root / "scribble_annotation" / "pascal_2012" / f"{image}.xml"
        path.write_text(drawing, encoding="utf-8")
    (root / "ImageSets" / "SegmentationAug" / "train.txt").write_text("one\ntwo\n", encoding="utf-8")
    return root


def run(command: str, root: Path, *options: str) -> None:
    main([command, "--dataset", "voc2012", "--data-dir", str(root), *options])


def coloured(sheet: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (sheet == colour).all(axis=2)


def test_show_draws_what_is_there_before_and_not_what_was_dropped(voc: Path) -> None:
    run("show", voc, "--images", "one", "--drop", "1", "--out", "sheet.png")
    with Image.open("sheet.png") as picture:
        assert round(picture.info["dpi"][0]) == 300
        sheet = np.array(picture.convert("RGB"))
    panels = coloured(sheet, PLANE)[: int(0.8 * len(sheet))]  # the legend is below
    before, after = np.array_split(panels, 2, axis=1)
    assert np.count_nonzero(before) > 1000
    assert not after.any()
    assert coloured(sheet, PLANE)[int(0.8 * len(sheet)) :].any()


def test_show_is_the_same_each_time_and_has_a_row_per_image_and_degradation(voc: Path) -> None:
    run("show", voc, "--out", "a.png")
    run("show", voc, "--out", "b.png", "--count", "2")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    run("show", voc, "--images", "two", "--shrink", "0.2,0.5,1", "--out", "c.png")
    with Image.open("a.png") as four, Image.open("c.png") as one:
        assert four.width == one.width
        assert 3 < four.height / one.height < 6


def test_stats_measures_known_strokes(voc: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("stats", voc, "--out", "page.png")
    printed = capsys.readouterr().out
    assert "3 strokes (xml) on 2 train images" in printed
    rows = {line[:34].strip(): line[34:].split() for line in printed.splitlines()}
    assert rows["strokes per image"][1] == "1.5"
    assert rows["points per stroke"][1] == "2"
    assert rows["length of a stroke, pixels"][1] == "40"
    labelled = [(43 * 3 - 4 + 3 * 31 + 3 * 10) / 24, 99 / 24]
    assert float(rows["labelled pixels, %"][1]) == pytest.approx(np.mean(labelled), abs=0.3)
    with Image.open("page.png") as page:
        assert page.size == (3300, 2280)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["show", "--images", "three"], "--images three: no such image"),
        (["show", "--drop", "2"], "--drop 2: give a rate from 0 to 1"),
        (["stats", "--from", "png"], "--from png: no label PNGs"),
        (["stats", "--split", "test"], "Unknown split 'test'"),
    ],
)
def test_bad_input_is_one_line(
    voc: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments[0], voc, *arguments[1:])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert not list(Path().glob("*.png"))


@pytest.mark.parametrize("command", ["show", "stats"])
def test_help_keeps_the_examples_on_lines_of_their_own(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main([command, "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"scribblebench {command}" in lines
