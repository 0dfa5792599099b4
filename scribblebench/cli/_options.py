"""Options that several commands share."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

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


def _reach(ctx: click.Context, kind: str) -> list[str]:
    """List the names of a kind of card, those in the folders given by --cards on the same line too."""
    from scribblebench.core.library import Library

    return Library(*(ctx.params.get("cards") or ())).names(kind)


class CardName(click.ParamType[str]):
    """The name of a card; shells complete it.

    Args:
        kind: of card, such as ``"grids"``.
    """

    name = "text"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the cards in reach."""
        del param
        return [CompletionItem(name) for name in _reach(ctx, self.kind) if name.startswith(incomplete)]


class Words(click.ParamType[str]):
    """What ``list`` is asked for: kinds, or one of a kind by name."""

    name = "text"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer kinds first, then names."""
        from scribblebench.cli._listing import kinds, names
        from scribblebench.core.library import Library

        given, known = ctx.params.get(param.name or "") or (), kinds()
        if given and given[0] in known and given[0] != known[given[0]]:
            found = names(Library(*(ctx.params.get("cards") or ())), known[given[0]])
        else:
            found = sorted(known)
        return [CompletionItem(name) for name in found if name.startswith(incomplete)]


class Names(click.ParamType[tuple[str, ...]]):
    """A list such as ``baseline,rw-ss``.

    Args:
        kind: of card, where these are names of cards: shells complete the last of them.
    """

    name = "names"

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the cards in reach behind the last comma."""
        del param
        before, comma, last = incomplete.rpartition(",")
        known = _reach(ctx, self.kind) if self.kind else []
        return [CompletionItem(f"{before}{comma}{name}") for name in known if name.startswith(last)]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split at commas."""
        del param, ctx
        return tuple(dict.fromkeys(value.split(","))) if isinstance(value, str) else value


folder = click.Path(path_type=Path, file_okay=False)
file = click.Path(path_type=Path, dir_okay=False)


def _importable(
    context: click.Context, parameter: click.Parameter, folders: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Let cards name parts in Python files beside them; what is installed goes first."""
    del context, parameter
    sys.path += [found for found in (str(path.resolve()) for path in folders) if found not in sys.path]
    return folders


cards_option = click.option(
    "--cards",
    multiple=True,
    type=folder,
    callback=_importable,
    help="Your own cards: a folder with methods/, datasets/, protocols/ or grids/ in it, and your own parts "
    "as Python files. Repeatable.",
)

runs_option = click.option(
    "--runs", type=folder, default=Path("results/runs"), show_default=True, help="Records and weights."
)
variants_option = click.option(
    "--variants", type=folder, default=Path("data"), show_default=True, help="Degraded variants."
)
# The strokes of a dataset.
dataset_option = click.option(
    "--dataset",
    type=CardName("datasets"),
    default="toy",
    show_default=True,
    help="Dataset card; toy is generated on first use.",
)
data_dir_option = click.option(
    "--data-dir", type=folder, help="The dataset's folder, in VOC layout. Default: data/DATASET/source."
)
split_option = click.option("--split", default="train", show_default=True, help="Which images.")
images_option = click.option("--images", type=Names(), help="The images' ids, with commas between them.")
seed_option = click.option(
    "--seed", type=click.IntRange(0, LAST_SEED), default=0, show_default=True, help="Names every draw."
)
