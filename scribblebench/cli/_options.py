"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from scribblebench.core.errors import UserError

LAST_SEED = 2**31 - 1
_WHOLE = re.compile(r"[0-9]{1,10}")
# Not what Python reads besides: 1_0, digits of other scripts, blanks around.
_NUMBER = re.compile(r"[-+.0-9eE]+")


def read_rates(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[float, ...] | None:
    """Read one rate, or several with commas between them.

    Raises:
        UserError: not numbers in [0, 1].
    """
    del context
    if text is None:
        return None
    try:
        values = tuple(float(part) if _NUMBER.fullmatch(part) else -1.0 for part in text.split(","))
    except ValueError:
        values = (-1.0,)
    if not all(0 <= value <= 1 for value in values):
        raise UserError(f"{parameter.opts[0]} {text}: give a rate from 0 to 1, or several: 0.1,0.2,0.3.")
    return tuple(dict.fromkeys(values))


class Seeds(click.ParamType[tuple[int, ...]]):
    """A list such as ``0,1,2``."""

    name = "seeds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at commas."""
        if not isinstance(value, str):
            return value
        parts = value.split(",")
        if not all(_WHOLE.fullmatch(part) and int(part) <= LAST_SEED for part in parts):
            self.fail(f"'{value[:80]}' is not a list of whole numbers from 0, such as 0,1", param, ctx)
        return tuple(dict.fromkeys(int(part) for part in parts))


class Names(click.ParamType[tuple[str, ...]]):
    """A list such as ``baseline,rw-ss``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at commas."""
        del param, ctx
        return tuple(dict.fromkeys(value.split(","))) if isinstance(value, str) else value


folder = click.Path(path_type=Path, file_okay=False)
file = click.Path(path_type=Path, dir_okay=False)

cards_option = click.option(
    "--cards",
    multiple=True,
    type=folder,
    help="Your own cards: a folder with methods/, datasets/, protocols/ or grids/ in it. Repeatable.",
)

runs_option = click.option(
    "--runs", type=folder, default=Path("results/runs"), show_default=True, help="Records and weights."
)
# The strokes of a dataset.
dataset_option = click.option(
    "--dataset", default="toy", show_default=True, help="Dataset card; toy is generated on first use."
)
data_dir_option = click.option(
    "--data-dir", type=folder, help="The dataset's folder, in VOC layout. Default: data/DATASET/source."
)
split_option = click.option("--split", default="train", show_default=True, help="Which images.")
images_option = click.option("--images", type=Names(), help="The images' ids, with commas between them.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, LAST_SEED), default=0, show_default=True, help="Names every draw."
)
