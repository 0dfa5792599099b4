"""A line of a list is understood for certain, or refused with its number."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.cards import Layout
from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id
from scribblebench.pictures.finding import find
from scribblebench.sources.lists import read_list
from scribblebench.sources.readers import stems

PHOTOGRAPHS = ["cow_1.jpg", "cow_2.JPG", "two words 1.jpg", "v1.2.jpeg", "lyon/tram_1.png", "lyon/tram_2.jpg"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in PHOTOGRAPHS:
        path = tmp_path / "JPEGImages" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def ids(root: Path, data: str | bytes, layout: Layout | None = None) -> list[str]:
    path = root / "some.txt"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_list(path, root, layout or Layout())


@pytest.mark.parametrize(
    ("line", "image"),
    [
        ("cow_1", "cow_1"),
        ("  cow_1\t", "cow_1"),
        ("cow_1.jpg", "cow_1"),
        ("cow_2.JPG", "cow_2"),
        ("v1.2", "v1.2"),
        ("v1.2.jpeg", "v1.2"),
        ("two words 1", "two words 1"),
        ("two words 1.jpg", "two words 1"),
        ("two words 1.jpg two words 1.png", "two words 1"),
        ("two words 1 -1", "two words 1"),
        ("lyon/tram_1", "lyon/tram_1"),
        ("./lyon\\tram_2.jpg", "lyon/tram_2"),
        ("lyon/tram_1.png lyon/tram_1.png", "lyon/tram_1"),
        ("JPEGImages/lyon/tram_1.png SegmentationClassAug/lyon/tram_1.png", "lyon/tram_1"),
        ("/JPEGImages/cow_1.jpg /SegmentationClassAug/cow_1.png", "cow_1"),
        ("/data/VOC2012/JPEGImages/cow_1.jpg", "cow_1"),
        ("D:\\VOC\\JPEGImages\\cow_1.jpg D:\\VOC\\strokes\\cow_1.png", "cow_1"),
        ("../VOC/JPEGImages/cow_1.jpg", "cow_1"),
        ("JPEGImages/cow_1.jpg a/cow_1.png b/cow_1.xml", "cow_1"),
        ("cow_1.jpg,cow_1.png", "cow_1"),
        ("cow_1.jpg;cow_1.png", "cow_1"),
        ("cow_1  1", "cow_1"),
        ("cow_1 -1", "cow_1"),
        ("cow_1\t0", "cow_1"),
        ("unknown_7", "unknown_7"),
        ("unknown_7.bmp unknown_7.png", "unknown_7"),
    ],
)
def test_lines_that_are_understood(root: Path, line: str, image: str) -> None:
    assert ids(root, f"{line}\nlast\n") == [image, "last"]


@pytest.mark.parametrize(
    "line",
    [
        "image,mask",
        "filename;label",
        "cow_1.jpg cow_2.png",
        "cow_1 7",
        "cow_1 0.5",
        "cow_1 # the brown one",
        "nice/cow_1",
        "elsewhere/cow_1.jpg",
        "/mnt/photos/cow_1.jpg",
        "C:\\photos\\cow_1.jpg",
        "../../cow_1",
        "JPEGImages/../../cow_1.jpg",
        "/etc/passwd",
        ".hidden",
        "cow_1.",
        "three new words",
        '"cow_1.jpg","cow_1.png"',
        "a\0b",
        "a\u200bb c",
        "NUL",
        "x" * 400,
    ],
)
def test_lines_that_are_refused_by_number(root: Path, line: str) -> None:
    with pytest.raises(UserError) as caught:
        ids(root, f"# ids\ncow_1\n{line}\n")
    expected = "some.txt holds zero bytes" if "\0" in line else "some.txt, line 3: "
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_of_every_system_is_read(root: Path, encoding: str, end: str) -> None:
    text = end.join(["cow_1", "", "# été", "köln_1", "  ", "lyon/tram_1", ""])
    assert ids(root, text.encode(encoding)) == ["cow_1", "köln_1", "lyon/tram_1"]


def test_the_other_byte_order_with_its_mark(root: Path) -> None:
    assert ids(root, b"\xfe\xff" + "cow_1\nköln".encode("utf-16-be")) == ["cow_1", "köln"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("cow_1\nköln".encode("latin-1"), r"some\.txt, line 2: not UTF-8"),
        ("cow_1\rb\rköln".encode("latin-1"), r"some\.txt, line 3: not UTF-8"),
        ("cow_1".encode("utf-16-le"), "holds zero bytes"),
        ("cow_1\n".encode("utf-16") + b"x", r"some\.txt, line 2: not UTF-16"),
        (b"", "lists no images"),
        (b"\xef\xbb\xbf# nothing\n\n", "lists no images"),
        (b"cow_1\ncow_1.jpg\n", "lists cow_1 twice"),
    ],
)
def test_text_that_is_refused(root: Path, data: bytes, message: str) -> None:
    with pytest.raises(UserError, match=message):
        ids(root, data)


def test_folders_of_the_users_own_layout_are_cut_off(root: Path) -> None:
    layout = Layout(images="photos/2024/")
    assert ids(root, "photos/2024/a_1.jpg masks/a_1.png\n", layout) == ["a_1"]


@given(st.text(max_size=30) | st.text("cow_1./\\ ,;\t-#jpgJPEGImages", max_size=40))
def test_whatever_is_understood_is_an_id(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        found = ids(root, line.encode("utf-8", "surrogatepass"))
    except UserError as error:
        found = []
        message = str(error)
        assert "some.txt" in message
    for image in found:
        check_id(image, "")


@pytest.mark.parametrize(
    "line",
    [
        "two words 1.jpg " + "two words 1.png " * 60 + "other",
        "cow_1.jpg " + "m/cow_1.png " * 300 + "cow_2.png",
        "cow_1 " * 3000,
        "a b " * 200_000,
        "cow_1" + "," * 4000 + "x",
    ],
    ids=["spaces", "columns", "long", "very long", "commas"],
)
def test_a_line_of_many_columns_is_refused_in_no_time(root: Path, line: str) -> None:
    with pytest.raises(UserError, match=r"some\.txt, line 2: "):
        ids(root, f"cow_1\n{line}\n")


def test_many_columns_of_one_image_are_its_files(root: Path) -> None:
    assert ids(root, "two words 1.jpg " + "m/two words 1.png " * 100) == ["two words 1"]


@pytest.mark.parametrize("listed", ["NFC", "NFD"])
@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_accents_are_kept_in_two_ways_and_mean_one_image(
    root: Path, listed: Literal["NFC", "NFD"], stored: Literal["NFC", "NFD"]
) -> None:
    path = root / "JPEGImages" / unicodedata.normalize(stored, "café.jpg")
    path.touch()
    for line in ("café", "café.jpg", "JPEGImages/café.jpg masks/café.png"):
        assert ids(root, unicodedata.normalize(listed, line)) == ["café"]
    assert find(root / "JPEGImages", "café", ".jpg") == path
    assert "café" in stems(root / "JPEGImages", ".jpg")
