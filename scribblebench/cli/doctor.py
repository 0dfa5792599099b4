"""``scribblebench doctor``: is this machine fit for a grid, and what is missing?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import CardName, cards_option, data_dir_option, runs_option
from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from scribblebench.doctor import Finding


@click.command("doctor")
@click.option(
    "--dataset", type=CardName("datasets"), default="", help="Look at this one alone. Default: at all."
)
@data_dir_option
@runs_option
@cards_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(dataset: str, data_dir: Path | None, runs: Path, cards: tuple[Path, ...], as_json: bool) -> None:
    """Look whether this machine is fit for a grid, and say what to do where it is not.

    Looks at Python and its packages, whether torch and torchvision fit each other, cores and threads, CUDA,
    memory, disk, the folders of datasets (what is missing, and which archive has it), extras and records.
    Nothing is downloaded, generated or mended. A line each: ok, warning or wrong. The exit code is 1 where
    something is wrong; warnings are none of its business.

    \b
    scribblebench doctor
    scribblebench doctor --dataset voc2012 --data-dir VOC2012
    scribblebench doctor --json
    """  # noqa: D301 - click wants the backspace character itself
    from msgspec import to_builtins

    from scribblebench.doctor import Asked, examine

    if data_dir is not None and not dataset:
        raise UserError("--data-dir is the folder of one dataset. Name it: --dataset voc2012.")
    found = list(examine(Asked(runs, cards, dataset, data_dir)))
    click.echo(json.dumps(to_builtins(found), ensure_ascii=False, indent=1) if as_json else _in_lines(found))
    if any(one.level == "wrong" for one in found):
        sys.exit(1)


def _in_lines(found: Sequence[Finding]) -> str:
    """Write a line a finding, and a summary."""
    wide = max(len(one.about) for one in found)
    lines = [f"{one.level:<7}  {one.about:<{wide}}  {_told(one)}" for one in found]
    levels = [one.level for one in found]
    return "\n".join((*lines, f"{levels.count('wrong')} wrong, {levels.count('warning')} warnings"))


def _told(one: Finding) -> str:
    text = " ".join(one.text.split())  # an error of several lines is one here
    return f"{text.removesuffix('.')}. {one.todo}" if one.todo else text
