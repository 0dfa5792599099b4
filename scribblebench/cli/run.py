"""``scribblebench run``: train every method of a grid on every variant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import (
    Names,
    Numbers,
    cards_option,
    data_dir_option,
    dataset_option,
    folder,
)

if TYPE_CHECKING:
    from scribblebench.core.cards import DatasetCard, ProtocolCard
    from scribblebench.core.library import Library
    from scribblebench.training.cell import Cell
    from scribblebench.training.data import Places


@click.command("run")
@click.option("--grid", required=True, help="Grid card: methods x variants x seeds. See 'list grids'.")
@click.option("--methods", type=Names(), help="Only these methods, comma-separated; any card may be named.")
@click.option("--rates", type=Numbers(float), help="Only these rates of the grid, such as 0,0.5.")
@click.option("--seeds", type=Numbers(int), help="Seeds of strokes and training together, such as 0,1,2.")
@dataset_option
@data_dir_option
@click.option("--protocol", help="Protocol card. Default: the dataset's own (toy, or paper for voc2012).")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace a protocol field.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Initial weights of the backbone, a .safetensors file with torchvision's names.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=0,
    help="Cells at once. Default: a core each, at most 4; 1 on CUDA.",
)
@click.option(
    "--runs", type=folder, default=Path("results/runs"), show_default=True, help="Records and weights."
)
@click.option("--variants", type=folder, default=Path("data"), show_default=True, help="Degraded variants.")
@click.option("--dry-run", is_flag=True, help="Print the cells and which are missing; train nothing.")
@cards_option
def command(
    grid: str,
    methods: tuple[str, ...] | None,
    rates: tuple[float, ...] | None,
    seeds: tuple[int, ...] | None,
    dataset: str | None,
    data_dir: Path | None,
    protocol: str | None,
    settings: tuple[str, ...],
    weights: Path | None,
    device: str,
    jobs: int,
    runs: Path,
    variants: Path,
    dry_run: bool,
    cards: tuple[Path, ...],
) -> None:
    """Train every method of a grid on every variant of a dataset.

    Every finished cell leaves one JSON record in results/runs. Cells that have one are skipped, so the
    same command carries on after an interruption, and several may run at once.

    \b
    scribblebench run --grid shrink
    scribblebench run --grid drop --methods baseline,rw-ss --rates 0,0.5 --seeds 0,1,2
    scribblebench run --grid shrink --dataset voc2012 --data-dir VOC2012 --protocol voc-mini --set epochs=4
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.core.errors import UserError
    from scribblebench.core.library import Library
    from scribblebench.grid.cells import Plan, expand
    from scribblebench.sources.folder import open_dataset
    from scribblebench.training.data import Places
    from scribblebench.training.provenance import pick_device

    if weights is not None and not weights.is_file():
        raise UserError(f"No weights at {weights}. Give --weights an existing .safetensors file.")
    library = Library(*cards)
    overrides = parse_settings(settings)
    dataset_card, protocol_card = choose(library, dataset, protocol, overrides)
    place = pick_device(device)
    grid_card = library.grid(grid)
    opened = open_dataset(dataset_card, data_dir)
    plan = Plan(
        grid=grid_card,
        methods=[library.method(name) for name in methods or grid_card.methods],
        protocol=protocol_card,
        overrides=overrides,
        dataset=opened,
        rates=rates,
        seeds=seeds or grid_card.seeds,
        weights=weights,
    )
    places = Places(opened, variants, runs, place, weights)
    cells = expand(plan)
    if dry_run:
        show(cells, places)
    else:
        execute(cells, places, jobs)


def choose(
    library: Library, dataset: str | None, protocol: str | None, overrides: dict[str, Any]
) -> tuple[DatasetCard, ProtocolCard]:
    """Pick dataset and protocol: each brings the other where only one is named."""
    if dataset is None:
        dataset = library.protocol(protocol).dataset if protocol else "toy"
    card = library.dataset(dataset)
    return card, library.protocol(protocol or card.protocol, overrides)


def parse_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Turn ``key=value`` pairs into a mapping; values are YAML."""
    from scribblebench.core.card_yaml import parse_yaml
    from scribblebench.core.errors import UserError

    parsed = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign or not key:
            raise UserError(f"--set {setting}: write it as KEY=VALUE, such as --set epochs=4.")
        parsed[key] = parse_yaml(value, f"--set {setting}: the value")
    return parsed


def show(cells: list[Cell], places: Places) -> None:
    """Print the cells and which are missing."""
    from scribblebench.grid.execute import is_done

    done = [is_done(cell, places) for cell in cells]
    for cell, finished in zip(cells, done, strict=True):
        click.echo(f"{'done   ' if finished else 'missing'}  {cell.slug}")
    click.echo(f"{len(cells)} cells, {done.count(False)} missing")


def execute(cells: list[Cell], places: Places, jobs: int) -> None:
    """Run what is missing; a failed cell makes the exit code 1."""
    from rich.console import Console

    from scribblebench.grid.display import Display
    from scribblebench.grid.execute import execute

    with Display(len(cells), Console(stderr=True)) as display:
        records = execute(cells, places, jobs, display)
    failed = [record for record in records if record.status == "failed"]
    click.echo(f"{len(cells)} cells, {len(records)} run now, {len(failed)} failed; records in {places.runs}")
    if failed:
        sys.exit(1)
