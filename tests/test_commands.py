"""Every command in README.md and docs is one that the program takes, and its cards are there."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from scribblebench.cli.main import scribblebench as program
from scribblebench.core.library import Library
from shell_commands import ROOT, Shown, shown

COMMANDS = shown()
# Words that stand for what a reader puts there.
PLACEHOLDERS = {"COMMAND": "run", "DIR": "data", "NAME": "rw-ss"}
# Cards that a reader writes.
OWN = {"external", "rw-strong", "cells"}
# Records that a reader makes, by commands that the documents show before.
MADE = {Path("results/runs"), Path("mine.zip")}
# Option -> kind of the cards that it names.
CARDS = {"grid": "grids", "methods": "methods", "protocol": "protocols", "dataset": "datasets"}


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what the documents take for granted."""
    monkeypatch.chdir(tmp_path)
    for name in ("benchmarks", "results"):
        Path(name).symlink_to(ROOT / name)
    for name in ("my-cards", "VOC2012"):
        Path(name).mkdir()
    for name in ("mine.csv", "MOBILENET_V2.safetensors"):
        Path(name).touch()


def parse(command: Shown) -> click.Context | None:
    """Parse a command as the program does; None where it asks for help or the version."""
    arguments = [PLACEHOLDERS.get(word, word) for word in command.arguments]
    context = click.Context(program)
    subcommand = program.get_command(context, arguments[0])
    assert subcommand is not None
    try:
        return subcommand.make_context(arguments[0], arguments[1:], parent=context)
    except click.exceptions.Exit:
        return None


def test_commands_are_found_in_blocks_and_in_text() -> None:
    assert len(COMMANDS) > 60
    texts = {str(command) for command in COMMANDS}
    assert "README.md: scribblebench run --grid shrink" in texts
    variable = "scribblebench run --protocol toy-long --data-dir fresh --grid controls --seeds 10,11,12"
    assert f"docs/experiments.md: {variable}" in texts
    assert "docs/efficiency.md: scribblebench run --grid efficiency" in texts


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_the_program_takes_it(command: Shown, capsys: pytest.CaptureFixture[str]) -> None:
    context = parse(command)
    if context is None:
        return
    given = context.params
    cards = given.get("cards") or ()
    folders = [cards] if isinstance(cards, Path) else cards
    library = Library(*(folder for folder in folders if folder.name != "my-cards"))
    for option, kind in CARDS.items():
        named = given.get(option) or ()
        for name in [named] if isinstance(named, str) else named:
            assert name in OWN.union(library.names(kind)), f"no {option} '{name}'"
    if command.arguments[0] == "report":
        for folder in given["runs"]:
            assert folder.is_dir() or folder in MADE, f"no records in {folder}"
