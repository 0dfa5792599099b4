"""A method that cannot work is refused before anything is trained, however late its losses set in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from scribblebench.cli.main import scribblebench
from scribblebench.core.cards import LossTerm
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.training.fits import check_method

PROTOCOL = Library().protocol("toy")


@pytest.mark.parametrize("name", Library().names("methods"))
def test_every_shipped_method_fits(name: str) -> None:
    check_method(Library().method(name), PROTOCOL)


@pytest.mark.parametrize(
    ("network", "term", "message"),
    [
        (
            {"head": "plain"},
            {"part": "self_supervision", "on": "eigenspace"},
            "needs the network's walk, which 'head: plain' does not give",
        ),
        ({"head": "plain"}, {"part": "tree_energy"}, "needs the network's embedding"),
        ({"head": "plain"}, {"part": "entropy", "padding": 1}, "padding"),
        ({"head": "plane"}, {"part": "entropy"}, "Did you mean 'plain'"),
        ({}, {"part": "entropy"}, "names no head"),
    ],
)
def test_what_cannot_work(network: dict[str, Any], term: dict[str, Any], message: str) -> None:
    options = {k: v for k, v in term.items() if k != "part"}
    late = LossTerm(term["part"], starts=0.5, options=options)
    method = msgspec.structs.replace(Library().method("baseline"), network=network, losses=(late,))
    with pytest.raises(UserError, match=message):
        check_method(method, PROTOCOL)


@pytest.mark.parametrize(
    ("crf", "message"),
    [
        ("deplab", r"protocol 'toy': Unknown CRF preset 'deplab'.*'deeplab'.*Available: deeplab, urss\."),
        ({"preset": ["urss"]}, r"Unknown CRF preset '\['urss'\]'\."),
        (10, "Unknown CRF preset '10'"),
        (
            {"preset": "urss", "iteration": 5},
            "protocol 'toy': crf: iteration: no such field. Did you mean 'iterations'",
        ),
        ({"preset": "urss", "grouping": {"cell": 0}}, "cell"),
        ({}, "kernels"),
    ],
)
def test_a_crf_that_is_none(crf: Any, message: str) -> None:
    protocol = msgspec.structs.replace(PROTOCOL, evaluation={"part": "whole_image", "crf": crf})
    with pytest.raises(UserError, match=message) as caught:
        check_method(Library().method("baseline"), protocol)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("losses", "message"),
    [
        ([], "no loss of any weight"),
        ([LossTerm("partial_cross_entropy", weight=0)], "no loss of any weight"),
        ([LossTerm("partial_cross_entropy", starts=0.5)], "no loss acts before 0.5 of the run"),
        (
            [LossTerm("partial_cross_entropy"), LossTerm("entropy", starts=1)],
            "from 1 on there is no step left",
        ),
        ([LossTerm("entropy"), LossTerm("entropy", weight=2)], "names the loss 'entropy' twice"),
    ],
)
def test_steps_at_which_nothing_is_learned(losses: list[LossTerm], message: str) -> None:
    method = msgspec.structs.replace(Library().method("baseline"), losses=tuple(losses))
    with pytest.raises(UserError, match=message):
        check_method(method, PROTOCOL)


def test_cells_that_no_crop_aligns() -> None:
    method = Library().method("rw-ss")
    method = msgspec.structs.replace(method, network={"head": "random_walk", "walk_stride": 4})
    check_method(method, PROTOCOL)
    with pytest.raises(UserError, match="cannot align 4 rows of cells with 113 pixels"):
        check_method(method, msgspec.structs.replace(PROTOCOL, crop=113))


def test_a_dry_run_tells(mini: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card = tmp_path / "cards/methods/late.yaml"
    card.parent.mkdir(parents=True)
    card.write_text(
        "name: late\ntitle: Late\npaper: {key: k, year: 2030, title: T}\nnetwork: {head: plain}\n"
        "losses: [{part: partial_cross_entropy}, {part: self_supervision, from: 0.5, on: eigenspace}]\n",
        encoding="utf-8",
    )
    arguments = ["run", "--grid", "shrink", "--methods", "late", "--cards", "cards", "--data-dir", str(mini)]
    answer = CliRunner().invoke(scribblebench, [*arguments, "--dry-run"])
    assert isinstance(answer.exception, UserError)
    assert "method 'late', loss 'self_supervision'" in str(answer.exception)
    asked = ["--methods", "rw", "--rates", "0", "--set", "evaluation.crf=deplab", "--dry-run"]
    answer = CliRunner().invoke(scribblebench, ["run", "--grid", "shrink", "--data-dir", str(mini), *asked])
    assert isinstance(answer.exception, UserError)
    assert "Available: deeplab, urss." in str(answer.exception)
