"""Names that become file names stay in their folder, on every system."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.cards import DatasetCard, convert
from scribblebench.core.errors import UserError
from scribblebench.core.names import check_id, check_name

GOOD = ["2007_000032", "a", "aachen/aachen_000", "my photo 1", "été", "x.y.z", "[1]", "-x", "console", "a,b"]
BAD = ["", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", ".hidden", "a/._b", "C:\\x", "C:x"]
BAD += ["\\\\host\\x", "a\0b", "a\nb", "a\u202eb", "a\ufeff", "\ud800", "x.", "x ", " x", "a /b", "CON"]
BAD += ["nul.png", "a/LPT1", "a?b", "a*", '"a"', "a|b", "x" * 300]


@pytest.mark.parametrize("name", GOOD)
def test_usual_names_pass(name: str) -> None:
    assert check_id(name, "list") == name


@pytest.mark.parametrize("name", BAD)
def test_names_that_lead_elsewhere_or_that_a_system_cannot_hold_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"^list, line 3: .* cannot be a name: ") as caught:
        check_id(name, "list, line 3")
    assert "\n" not in str(caught.value)


def test_a_cards_name_has_no_folder() -> None:
    assert check_name("rw-ss", "card") == "rw-ss"
    with pytest.raises(UserError, match="some systems cannot hold '/'"):
        check_name("a/b", "card")


@given(st.text(max_size=12) | st.text("./\\:C a", max_size=12))
def test_whatever_passes_stays_below_its_folder_on_every_system(name: str) -> None:
    try:
        check_id(name, "list")
    except UserError:
        return
    for system in (PurePosixPath, PureWindowsPath):
        path = system("out") / f"{name}.png"
        assert path.is_relative_to("out")
        assert ".." not in path.parts
        assert len(path.parts) == 2 + name.count("/")


CARD = {"name": "own", "title": "Own", "protocol": "toy", "source": "voc", "classes": ["ground", "cell"]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"classes": ["ground"]}, "at least two"),
        ({"classes": ["ground", "cell", "cell"]}, "'cell' is there twice"),
        ({"classes": [f"c{i}" for i in range(256)]}, "256, but a label map holds no more than 255"),
        ({"classes": ["ground", "a\nb"]}, "cannot be the name of a class"),
        ({"classes": ["ground", "ignore"]}, "'ignore' cannot be the name of a class"),
        ({"ignore_index": 1}, "ignore_index: 1 is the index of the class 'cell'"),
        ({"ignore_index": 256}, "ignore_index: 256 does not fit. It takes: whole number from 0 to 255"),
        ({"ignore_index": -1}, "from 0 to 255"),
        ({"splits": {"../train": "train"}}, "'../train' cannot be a name"),
        ({"splits": {"train": "../../train"}}, r"splits\.train: .* cannot be a name"),
        ({"values": {"masks": {255: "cel"}}}, "values.masks: 255 is 'cel', neither a class nor 'ignore'"),
        ({"values": {"masks": {256: "cell"}}}, "values.masks: .*whole number from 0 to 255"),
        ({"values": {"images": {}}}, "values.images: no such field. It has: masks, strokes"),
        ({"tags": {"zelle": "cel"}}, "tags: 'zelle' stands for 'cel', which is no class"),
        ({"tags": {"cell": "ground"}}, "tags: 'cell' is a class of its own"),
    ],
)
def test_a_dataset_card_that_no_label_map_can_follow_is_refused(change: dict, message: str) -> None:
    with pytest.raises(UserError, match=rf"^own\.yaml: .*{message}") as caught:
        convert({**CARD, **change}, DatasetCard, "own.yaml")
    assert str(caught.value).endswith(".")
    assert not str(caught.value).endswith("..")


def test_as_many_classes_as_a_label_map_holds() -> None:
    names = [f"c{i}" for i in range(255)]
    assert len(convert({**CARD, "classes": names}, DatasetCard, "own.yaml").classes) == 255
