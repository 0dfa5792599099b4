"""``scribblebench figures``: what a trained network sees, as Figures 1, 3 and 5 of the RW-SS paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import Names, cards_option, data_dir_option, dataset_option, folder

if TYPE_CHECKING:
    from scribblebench.report.figures.figure1 import Example
    from scribblebench.report.figures.figure5 import Varied
    from scribblebench.sources.folder import DatasetFolder
    from scribblebench.training.cell import Cell
    from scribblebench.training.data import Places
    from scribblebench.training.probes import Pixels, Probe

# The grid of Figure 3, in cells, and the share of it that the translation takes out of view.
_GRID, _SHARE = (4, 5), 1 / 4


@click.command("figures")
@click.option("--method", default="rw-ss", show_default=True, help="Whose network; it must have a walk.")
@dataset_option
@data_dir_option
@click.option("--protocol", help="Protocol card. Default: the dataset's own.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace a protocol field.")
@click.option("--seed", default=0, show_default=True, help="Of the training.")
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Initial weights that the training was given, if any.",
)
@click.option(
    "--runs", type=folder, default=Path("results/runs"), show_default=True, help="Records and weights."
)
@click.option("--split", default="val", show_default=True, help="Which images.")
@click.option("--images", type=Names(), help="The images' ids, with commas between them.")
@click.option(
    "--count", type=click.IntRange(1, 12), default=3, show_default=True, help="Or how many, drawn at random."
)
@click.option("--eigenvectors", type=click.IntRange(1, 6), default=3, show_default=True, help="To be shown.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option(
    "--out", type=folder, default=Path("results/report/figures"), show_default=True, help="Where they go."
)
@cards_option
def command(
    method: str,
    dataset: str | None,
    data_dir: Path | None,
    protocol: str | None,
    settings: tuple[str, ...],
    seed: int,
    weights: Path | None,
    runs: Path,
    split: str,
    images: tuple[str, ...] | None,
    count: int,
    eigenvectors: int,
    device: str,
    out: Path,
    cards: tuple[Path, ...],
) -> None:
    """Draw Figures 1, 3 and 5 of the RW-SS paper from a network trained by 'run' on undegraded scribbles.

    Figure 1: scribbles, truth and prediction; the representation before and after the walk; leading
    eigenvectors of P. Figure 3: computing matrices. Figure 5: where each location varies under a transform.

    \b
    scribblebench run --grid shrink --methods rw-ss --rates 0
    scribblebench figures --count 4
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli.run import choose, parse_settings
    from scribblebench.core.library import Library
    from scribblebench.grid.jobs import Asked
    from scribblebench.grid.jobs.train import trainings
    from scribblebench.training.probes import probe, trained_network
    from scribblebench.training.provenance import pick_device

    library = Library(*cards)
    overrides = parse_settings(settings)
    dataset_card, protocol_card = choose(library, dataset, protocol, overrides)
    asked = Asked(
        grid=library.grid("variation"),
        methods=[library.method(method)],
        protocol=protocol_card,
        overrides=overrides,
        dataset=dataset_card,
        data_dir=data_dir,
        rates=None,
        seeds=(seed,),
        weights=weights,
        device=pick_device(device),
        runs=runs,
        variants=Path("data"),
    )
    trained = trainings(asked)
    (cell,), places = trained.to_train, trained.places
    network = trained_network(cell, places)
    ids = pick_images(places.dataset.ids(split), images, count)
    probes = {image: probe(cell, places, network, image, eigenvectors) for image in ids}
    write(draw(cell, places, probes), out)


def draw(cell: Cell, places: Places, probes: dict[str, Probe]) -> dict[str, dict[str, bytes]]:
    """Draw all figures: name -> kind of file -> bytes."""
    from scribblebench.report.figures.figure1 import figure1
    from scribblebench.report.figures.figure3 import figure3
    from scribblebench.report.figures.figure5 import figure5

    caption = f"{cell.method.name} on {cell.dataset}, {cell.protocol.name} protocol"
    return {
        "figure1": figure1([_example(places.dataset, i, p) for i, p in probes.items()], caption),
        "figure3": figure3(_matrices(), *_GRID),
        "figure5": figure5([_varied(i, p) for i, p in probes.items()], caption),
    }


def write(figures: dict[str, dict[str, bytes]], out: Path) -> None:
    """Write every figure and say where."""
    from scribblebench.core.files import write_atomic

    for name, drawn in figures.items():
        for kind, content in drawn.items():
            write_atomic(out / f"{name}.{kind}", content)
        click.echo(str(out / f"{name}.png"))


def pick_images(ids: list[str], images: tuple[str, ...] | None, count: int) -> list[str]:
    """Return the images asked for, or some at random that do not depend on which others there are."""
    from scribblebench.core.errors import UserError
    from scribblebench.core.seeds import uniform

    if images is None:
        return sorted(sorted(ids, key=lambda image: uniform("figures", image))[:count])
    if unknown := [image for image in images if image not in ids]:
        raise UserError(f"--images {unknown[0]}: no such image in the split. Give ids of its list.")
    return list(images)


def _example(dataset: DatasetFolder, image: str, seen: Probe) -> Example:
    from scribblebench.core.errors import UserError
    from scribblebench.report.figures.figure1 import Example
    from scribblebench.sources.job import Job
    from scribblebench.sources.spec import VariantSpec

    try:
        scribbles = Job(dataset, VariantSpec()).derive(image).label[seen.window]
    except UserError:  # validation images need not have any
        scribbles = None
    return Example(
        name=image,
        photograph=seen.photograph,
        scribbles=scribbles,
        truth=dataset.mask(image)[seen.window],
        prediction=seen.prediction,
        before=seen.before,
        after=seen.after,
        eigenvectors=seen.eigenvectors,
        ignore=dataset.card.ignore_index,
    )


def _varied(image: str, seen: Probe) -> Varied:
    from scribblebench.report.figures.figure5 import Varied

    return Varied(image, seen.transformed, seen.variation)


def _matrices() -> dict[str, tuple[Pixels, Pixels]]:
    from scribblebench.ops.transforms import Flip, translation
    from scribblebench.training.probes import computing_matrices

    transforms = {"flip": Flip(), "translation": translation(_GRID[0], _SHARE, lambda name: 1.0)}
    return {name: computing_matrices(transform, *_GRID) for name, transform in transforms.items()}
