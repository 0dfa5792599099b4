"""``make-dataset``: degraded scribbles, reproducible by seed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click
import msgspec

from scribblebench.cli._choices import options_of, strokes_option
from scribblebench.cli._images import warn_of_splits
from scribblebench.cli._options import (
    cards_option,
    data_dir_option,
    dataset_option,
    folder,
    read_rates,
    seed_option,
    split_option,
)
from scribblebench.cli._progress import progress
from scribblebench.core.cards import convert
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.pen import Pen
from scribblebench.sources.folder import open_dataset
from scribblebench.sources.layouts import LAYOUTS
from scribblebench.sources.misfits import misfits
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, folder_name, make_variant
from scribblebench.sources.workers import default_workers


def _degradations(command: Any) -> Any:
    """Give the command one option for each registered degradation, and those of its fields."""
    for name in reversed(DEGRADATIONS.names()):
        part = DEGRADATIONS.get(name)
        command = options_of(part, f"--{name}")(command)
        text = (part.__doc__ or "").strip().split("\n")[0]
        command = click.option(f"--{name}", metavar="R[,R...]", callback=read_rates, help=text)(command)
    return command


@click.command("make-dataset")
@dataset_option
@data_dir_option
@cards_option
@split_option
@strokes_option
@_degradations
@click.option(
    "--length-ratio",
    metavar="L[,L...]",
    callback=read_rates,
    help="The same as --shrink 1-L: 0 is a point, 1 all.",
)
@click.option("--combine", is_flag=True, help="Apply several degradations to the same strokes.")
@seed_option
@options_of(Pen, "drawing")
@click.option(
    "--labels",
    type=click.Choice(["palette", "grey"]),
    help="Label PNGs with VOC's colours, or grey for readers like OpenCV. [default: palette]",
)
@click.option(
    "--layout", type=click.Choice(LAYOUTS.names()), help="Add what this code looks for beside labels."
)
@click.option("--out", type=folder, help="Folder to make; the parent of several variants.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes. [default: all processors]")
def command(
    dataset: str,
    data_dir: Path | None,
    cards: tuple[Path, ...],
    split: str,
    strokes: str | None,
    layout: str | None,
    out: Path | None,
    workers: int | None,
    **options: Any,
) -> None:
    """Make degraded scribbles: label maps, strokes and a manifest.

    Without a degradation the undegraded variant 'none' is made. Variants are nested: what rate 0.1 drops,
    0.3 drops too. Several rates make several variants; --combine makes every combination of the rates of
    several degradations, which are applied in the order of this page. The rules to the letter are in
    docs/making-datasets.md.
    """
    specs = _specs(options, strokes, layout)
    source = open_dataset(Library(*cards).dataset(dataset), data_dir, strokes)
    warn_of_splits(source)
    for spec in specs:
        root = out or Path("data") / source.card.name
        if out is None or len(specs) > 1:
            root /= folder_name(spec, split)
        with progress(str(root)) as report:
            variant = make_variant(source, split, spec, root, workers or default_workers(), report)
        if layout is not None:
            LAYOUTS.get(layout)().complete(variant, source)
        _summary(variant, with_repairs=spec is specs[0])
    for misfit in misfits(source, source.ids(split)):
        click.echo(f"Warning: {misfit}.", err=True)


def _specs(options: dict[str, Any], strokes: str | None, layout: str | None) -> list[VariantSpec]:
    needed = LAYOUTS.get(layout).labels if layout else "palette"
    labels = options["labels"] or needed
    if layout and labels != needed:
        raise UserError(f"--layout {layout} is read as {needed} PNGs; leave --labels {labels} out.")
    common = {
        "seed": options["seed"],
        "pen": _given(options, Pen),
        "labels": labels,
        "strokes": strokes or "",
    }
    return [convert({**common, "degradations": s}, VariantSpec, "make-dataset") for s in _steps(options)]


def _given(options: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the fields of a struct that were given on the command line."""
    return {name: options[name] for name in struct.__struct_fields__ if options[name] is not None}


def _steps(options: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the degradations of each variant asked for: every combination of the rates given."""
    chosen = {name: options[name] for name in DEGRADATIONS.names() if options[name] is not None}
    if options["length_ratio"] is not None:
        if "shrink" in chosen:
            raise UserError("--shrink and --length-ratio say the same; give one.")
        # Rounded, so that the ratio 0.7 is the rate 0.3 and not 0.30000000000000004.
        chosen["shrink"] = tuple(round(1 - ratio, 12) for ratio in options["length_ratio"])
    if len(chosen) > 1 and not options["combine"]:
        both = " and ".join(f"--{name}" for name in sorted(chosen))
        raise UserError(
            f"{both} are different variants: give one, or add --combine to apply both to the same strokes."
        )
    return [list(steps) for steps in itertools.product(*_each(options, chosen))]


def _each(options: dict[str, Any], chosen: dict[str, tuple[float, ...]]) -> list[list[dict[str, Any]]]:
    each = []
    for name in DEGRADATIONS.names():
        fields = _given(options, DEGRADATIONS.get(name))
        if name in chosen:
            each.append([{"kind": name, "rate": rate, "options": fields} for rate in chosen[name]])
        elif fields:
            raise UserError(f"--{next(iter(fields))} belongs to --{name}, which is not given.")
    return each


def _summary(variant: Variant, with_repairs: bool) -> None:
    head = variant.head
    strokes = f"{head.totals.strokes:,} of {head.totals.strokes_in_source:,} strokes ({head.source.strokes})"
    empty = f"{head.totals.images_without_strokes:,} without any"
    click.echo(f"{variant.root}: {head.totals.images:,} images, {strokes}, {empty}; {head.fingerprint[:16]}")
    if with_repairs and head.repairs:
        found = "; ".join(f"{count:,} {what}" for what, count in sorted(head.repairs.items()))
        click.echo(f"Found in the source: {found}.", err=True)
