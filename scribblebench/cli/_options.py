"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

folder = click.Path(path_type=Path, file_okay=False)

cards_option = click.option(
    "--cards",
    multiple=True,
    type=folder,
    help="Your own cards: a folder with methods/, datasets/, protocols/ or grids/ in it. Repeatable.",
)
dataset_option = click.option("--dataset", help="Dataset card. Default: toy, generated on first use.")
data_dir_option = click.option(
    "--data-dir", type=folder, help="The dataset's folder, in VOC layout. Default: data/DATASET/source."
)


class Numbers(click.ParamType[tuple[float, ...]]):
    """A list such as ``0,0.2,0.5``."""

    def __init__(self, kind: type[int] | type[float]) -> None:
        self.kind = kind
        self.name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at commas."""
        if not isinstance(value, str):
            return value
        try:
            return tuple(self.kind(part) for part in value.split(","))
        except ValueError:
            self.fail(f"'{value}' is not a list of numbers such as 0,1", param, ctx)


class Names(click.ParamType[tuple[str, ...]]):
    """A list such as ``baseline,rw-ss``."""

    name = "names"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at commas."""
        del param, ctx
        return tuple(value.split(",")) if isinstance(value, str) else value
