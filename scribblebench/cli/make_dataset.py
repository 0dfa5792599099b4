"""``make-dataset``: degraded scribbles, reproducible by seed."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import click
import msgspec

from scribblebench.cli._choices import options_of, rates
from scribblebench.cli._progress import progress
from scribblebench.core.cards import convert
from scribblebench.core.errors import UserError
from scribblebench.core.library import Library
from scribblebench.scribbles.degradations import DEGRADATIONS
from scribblebench.scribbles.pen import Pen
from scribblebench.sources.folder import DatasetFolder, open_dataset
from scribblebench.sources.readers import READERS
from scribblebench.sources.spec import VariantSpec
from scribblebench.sources.variant import Variant, folder_name, make_variant
from scribblebench.sources.workers import default_workers


def _degradations(command: Any) -> Any:
    """Give the command one option for each registered degradation, and those of its fields."""
    for name in reversed(DEGRADATIONS.names()):
        part = DEGRADATIONS.get(name)
        command = options_of(part, f"--{name}")(command)
        text = (part.__doc__ or "").strip().split("\n")[0]
        command = click.option(f"--{name}", metavar="R[,R...]", callback=rates, help=text)(command)
    return command


@click.command("make-dataset")
@click.option("--dataset", default="toy", show_default=True, help="Name of a dataset card.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Folder of the dataset, in VOC layout.")
@click.option(
    "--cards", type=click.Path(path_type=Path), multiple=True, help="Folder with cards of your own."
)
@click.option("--split", default="train", show_default=True, help="Which images.")
@click.option("--from", "strokes", type=click.Choice(READERS.names()), help="Where the strokes come from.")
@_degradations
@click.option(
    "--length-ratio",
    metavar="L[,L...]",
    callback=rates,
    help="The same as --shrink 1-L: 0 is a point, 1 all.",
)
@click.option(
    "--combine", is_flag=True, help="Apply several degradations to the same strokes, in the order above."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Names every draw.")
@options_of(Pen, "drawing")
@click.option("--labels", type=click.Choice(["palette", "grey"]), default="palette", show_default=True,
              help="Label PNGs with VOC's colours, or grey for readers like OpenCV.")  # fmt: skip
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder to make; the parent of several variants."
)
@click.option(
    "--workers", type=click.IntRange(min=1), default=None, help="Processes. [default: all processors]"
)
def command(
    dataset: str,
    data_dir: Path | None,
    cards: tuple[Path, ...],
    split: str,
    strokes: str | None,
    seed: int,
    labels: str,
    out: Path | None,
    workers: int | None,
    **options: Any,
) -> None:
    r"""Make degraded scribbles: label maps, strokes and a manifest.

    \b
    scribblebench make-dataset --drop 0.3
    scribblebench make-dataset --dataset voc2012 --data-dir VOC2012 --shrink 0.2,0.5,0.7,1
    """
    common = {"seed": seed, "pen": _given(options, Pen), "labels": labels, "strokes": strokes or ""}
    specs = [
        convert({**common, "degradations": steps}, VariantSpec, "make-dataset") for steps in _steps(options)
    ]
    source = open_dataset(Library(*cards).dataset(dataset), data_dir, strokes)
    _warn_of_shared_ids(source)
    for spec in specs:
        folder = out or Path("data") / source.card.name
        if out is None or len(specs) > 1:
            folder /= folder_name(spec, split)
        with progress(str(folder)) as report:
            variant = make_variant(source, split, spec, folder, workers or default_workers(), report)
        _summary(variant, with_repairs=spec is specs[0])


def _given(options: dict[str, Any], struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the fields of a struct that were given on the command line."""
    return {n: options[n] for n in struct.__struct_fields__ if options[n] is not None}


def _steps(options: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the degradations of each variant asked for: every combination of the rates given."""
    if options["length_ratio"] is not None:
        if options["shrink"] is not None:
            raise UserError("--shrink and --length-ratio say the same; give one.")
        options["shrink"] = tuple(round(1 - ratio, 12) for ratio in options["length_ratio"])
    named = [name for name in DEGRADATIONS.names() if options[name] is not None]
    if len(named) > 1 and not options["combine"]:
        both = " and ".join(f"--{name}" for name in named)
        raise UserError(
            f"{both} are different variants: give one, or add --combine to apply both to the same strokes."
        )
    for name in set(DEGRADATIONS.names()) - set(named):
        for field in _given(options, DEGRADATIONS.get(name)):
            raise UserError(f"--{field.replace('_', '-')} belongs to --{name}, which is not given.")
    each = [
        [
            {"kind": name, "rate": rate, "options": _given(options, DEGRADATIONS.get(name))}
            for rate in options[name]
        ]
        for name in named
    ]
    return [list(steps) for steps in itertools.product(*each)]


def _warn_of_shared_ids(source: DatasetFolder) -> None:
    splits = [split for split in source.card.splits if source.list_path(split)]
    for one, other in itertools.combinations(splits, 2):
        shared = set(source.ids(one)) & set(source.ids(other))
        if shared:
            click.echo(
                f"Warning: {len(shared)} ids are in {one} and {other}, such as {min(shared)}.", err=True
            )


def _summary(variant: Variant, with_repairs: bool) -> None:
    totals = variant.manifest.totals
    strokes = f"{totals.strokes:,} of {totals.strokes_in_source:,} strokes"
    empty = f"{totals.images_without_strokes:,} images without any"
    click.echo(f"{variant.root}: {totals.images:,} images, {strokes}, {empty}; {variant.fingerprint[:16]}")
    if with_repairs and variant.manifest.repairs:
        mended = "; ".join(f"{count:,} {what}" for what, count in sorted(variant.manifest.repairs.items()))
        click.echo(f"Found in the source: {mended}.", err=True)
