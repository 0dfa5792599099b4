from __future__ import annotations

from pathlib import Path

import pytest
import yaml

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


def test_shadowing_a_shipped_name_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"baseline\.yaml has the name of another card"):
        Library(own(tmp_path, OWN.replace("mine", "baseline"), "baseline"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("network:", "netwrok:"), r"mine\.yaml: .*`netw"),
        (("title: My", "titel: My"), r"mine\.yaml: .*`tit"),
        (("losses: [", "losses: [3, "), r"Expected `object`, got `int` - at `\$\.losses\[0\]`"),
        (("part: partial_cross_entropy", "part: x, weight: -1"), r"`float` >= 0.*\$\.losses\[0\]\.weight"),
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
