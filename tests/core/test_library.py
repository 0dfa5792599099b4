from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from scribblebench.core.card_yaml import parse_yaml
from scribblebench.core.errors import UnknownNameError, UserError
from scribblebench.core.library import KINDS, Library, shipped_folder

OWN = """\
name: mine
title: My method
paper: {key: me2030, year: 2030, title: Mine}
network: {head: plain}
losses: [{part: partial_cross_entropy}]
"""


def own(folder: Path, text: str = OWN, name: str = "mine") -> Path:
    (folder / "methods").mkdir(parents=True, exist_ok=True)
    (folder / "methods" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_every_shipped_card_loads() -> None:
    library = Library()
    for kind in KINDS:
        assert library.names(kind)
        for name in library.names(kind):
            assert library.card(kind, name).name == name


def test_every_grid_names_methods_there_are() -> None:
    library = Library()
    for name in library.names("grids"):
        for method in library.grid(name).methods:
            library.method(method)


def test_a_users_own_card(tmp_path: Path) -> None:
    library = Library(own(tmp_path))
    assert library.method("mine").title == "My method"
    assert "baseline" in library.names("methods")


@pytest.mark.parametrize("name", ["baseline", "Baseline"])
def test_shadowing_a_shipped_name_is_an_error_of_that_name_alone(tmp_path: Path, name: str) -> None:
    library = Library(own(tmp_path, OWN.replace("mine", name), name))
    for asked in {name, "baseline"}:
        with pytest.raises(UserError, match=rf"{name}\.yaml has the name of another card"):
            library.method(asked)
    assert library.method("rw-ss").name == "rw-ss"


ALL_WRONG = """\
name: other
titel: My method
paper: {key: me2030, year: soon, title: Mine}
supervision: scribbles
network: plain
losses: [{part: entropy, weight: -1, from: 2}, 3]
stages: [{share: 0.5, losses: [{part: entropy, ramp: x}]}]
"""


def test_all_errors_of_a_card_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        Library(own(tmp_path, ALL_WRONG)).method("mine")
    heading, *lines = str(refused.value).split("\n  ")
    assert heading == f"{tmp_path}/methods/mine.yaml: 8 errors:"
    assert lines == [
        "titel: no such field. Did you mean 'title'?",
        "paper.year: 'soon' does not fit. It takes: whole number.",
        "network: 'plain' does not fit. It takes: mapping of text to anything.",
        "losses[0].weight: -1 does not fit. It takes: number from 0.",
        "losses[0].from: 2 does not fit. It takes: number from 0 to 1.",
        "losses[1]: 3 does not fit. It takes: mapping of part, weight, from, ramp, options.",
        "stages[0].losses[0].ramp: 'x' does not fit. It takes: number from 0 to 1.",
        "name: 'other' must be the file's own name, 'mine'.",
    ]


def test_fields_that_do_not_fit_together_are_all_told_too() -> None:
    with pytest.raises(UserError) as refused:
        Library().protocol("toy", {"crop": 96, "weights": "net.pth", "augmentation.scale": [2, 1]})
    told = [line.partition(":")[0] for line in str(refused.value).split("\n  ")[1:]]
    assert told == ["crop", "augmentation.scale", "weights"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("network:", "netwrok:"), r"mine\.yaml: netwrok: no such field. Did you mean 'network'\?$"),
        (("title: My", "titel: My"), r"titel: no such field. Did you mean 'title'\?"),
        (
            ("losses: [", "losses: [3, "),
            r"losses\[0\]: 3 does not fit. It takes: mapping of part, w",
        ),
        (
            ("part: partial_cross_entropy", "part: x, weight: -1"),
            r"losses\[0\]\.weight: -1 does not fit",
        ),
        (("name: mine", "name: other"), "must be the file's own name"),
        (("title: My method", "title: [My"), "mine.yaml is not YAML"),
    ],
)
def test_a_wrong_card_is_named_with_the_place(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Library(own(tmp_path, OWN.replace(*change))).method("mine")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'rw-ss'"):
        Library().method("rwss")


def test_set_replaces_a_field_and_is_checked() -> None:
    library = Library()
    assert library.protocol("toy", {"epochs": 3, "optimizer.lr": 0.5}).optimizer.lr == 0.5
    with pytest.raises(UserError, match="epoch"):
        library.protocol("toy", {"epoch": 3})
    with pytest.raises(UserError, match="use 97"):
        library.protocol("toy", {"crop": 96})
    with pytest.raises(UserError, match="no section 'optimiser'"):
        library.protocol("toy", {"optimiser.lr": 3})


def test_yaml_reads_as_pyyaml_but_for_words_and_exponents() -> None:
    text = "{a: true, b: 0.5, c: 12, d: -3., e: null, f: [1, x], g: 2012-05-11, h: 1_0}"
    assert parse_yaml(text, "here") == yaml.safe_load(text) | {"h": 10}
    assert parse_yaml("{on: off, lr: 3e-4}", "here") == {"on": "off", "lr": 0.0003}


def test_a_checkout_uses_its_own_cards() -> None:
    """An editable install may carry a copy of the cards, which goes stale: it must not be used."""
    root = Path(__file__).parents[2]
    assert shipped_folder() == root
    assert Library().names("methods") == sorted(p.stem for p in (root / "methods").glob("*.yaml"))


def test_what_a_drive_or_an_editor_leaves_is_no_card(tmp_path: Path) -> None:
    folder = own(tmp_path) / "methods"
    for name in ("._mine.yaml", ".mine.yaml.swp.yaml", ".hidden/other.yaml", "Thumbs.db", "mine.yaml~"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"\0\5\x16\7\0\2\0\0")
    assert set(Library(tmp_path).names("methods")) - set(Library().names("methods")) == {"mine"}


def test_a_damaged_card_is_in_the_way_of_those_only_who_ask_for_it(tmp_path: Path) -> None:
    own(tmp_path)
    own(tmp_path, "a: b: c", "damaged")
    assert Library(tmp_path).method("mine").name == "mine"
    with pytest.raises(UserError, match=r"damaged\.yaml is not YAML: line 1: mapping values"):
        Library(tmp_path).method("damaged")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_a_card_may_have(tmp_path: Path, encoding: str) -> None:
    own(tmp_path)
    (tmp_path / "methods/mine.yaml").write_bytes(OWN.replace("My method", "Größe").encode(encoding))
    assert Library(tmp_path).method("mine").title == "Größe"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (OWN.replace("My method", "Größe").encode("latin-1"), r"mine\.yaml, line 2: not UTF-8 \(Latin-1\?\)"),
        (OWN.encode("utf-16-le"), r"mine\.yaml holds zero bytes"),
        (b"\x89PNG\r\n\x1a\n", r"mine\.yaml, line 1: not UTF-8"),
        (b"", r"mine\.yaml is no card"),
        (b"- name: mine\n", r"mine\.yaml is no card"),
        (OWN.replace("My method", "'  '").encode(), r"title: '  ' is empty"),
        (OWN.replace("My method", '"two\\nlines"').encode(), r"title: .* line end"),
        (OWN.encode() + b"title: Again\n", r"mine\.yaml, line 6: the key 'title' is there twice"),
        (OWN.replace("year: 2030", "year: 2030-13-45").encode(), "is not YAML: month must be"),
        (b"[" * 30_000, "nested too deeply"),
        (OWN.replace("head: plain", "head: plain, x: 1e999").encode(), "line 4: '1e999' is no finite number"),
    ],
)
def test_what_is_no_card_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    own(tmp_path)
    (tmp_path / "methods/mine.yaml").write_bytes(data)
    with pytest.raises(UserError, match=message) as refused:
        Library(tmp_path).method("mine")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["con", "a b", "a,b", "x?", "trailing."])
def test_names_that_no_result_could_bear(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=r"\.yaml: .* (cannot be a name|no comma and no space)"):
        Library(own(tmp_path, OWN.replace("mine", name), name)).method(name)


def test_a_name_with_accents_as_a_mac_writes_it(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "größe")
    own(tmp_path / "mac", OWN.replace("mine", "größe"), decomposed)
    assert Library(tmp_path / "mac").method("größe").title == "My method"


def test_folders_that_hold_no_cards(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds none of the folders datasets, methods"):
        Library(own(tmp_path) / "methods")
    (tmp_path / "grids").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match=r"Cannot read the cards in .*grids: Not a directory"):
        Library(tmp_path)


@given(st.recursive(st.integers(0, 9), lambda inner: st.lists(inner, max_size=4), max_leaves=30))
def test_aliases_stand_for_what_they_name(value: object) -> None:
    text = yaml.safe_dump({"a": [value], "b": value})
    assert parse_yaml(text, "here") == {"a": [value], "b": value}
    assert parse_yaml(f"a: &x {yaml.safe_dump([value], default_flow_style=True)}b: *x\n", "here") == {
        "a": [value],
        "b": [value],
    }


@pytest.mark.parametrize("link", ["[{}]", "{{<<: [{}]}}"])
def test_aliases_that_unfold_without_end_are_refused(link: str) -> None:
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{i}: &a{i} " + link.format(", ".join([f"*a{i - 1}"] * 10)) for i in range(1, 10)]
    with pytest.raises(UserError, match=r"here, line .: more than 100,000 values"):
        parse_yaml("\n".join(lines), "here")
    with pytest.raises(UserError, match="here, line 1: it holds itself"):
        parse_yaml("a: &a [*a]", "here")
