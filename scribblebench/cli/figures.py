"""``scribblebench figures``: what a trained network sees, as Figures 1, 3 and 5 of the RW-SS paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scribblebench.cli._options import folder, images_option, seed_option
from scribblebench.cli._setting import Setting, setting_options

if TYPE_CHECKING:
    from scribblebench.report.figures.figure1 import Example
    from scribblebench.report.figures.hard_eigenspace import Compared
    from scribblebench.sources.folder import DatasetFolder
    from scribblebench.training.cell import Cell
    from scribblebench.training.hard_probe import HardProbe
    from scribblebench.training.looks import Pixels
    from scribblebench.training.probe import Probe

# The grid of Figure 3, in cells, and the share of it that the translation takes out of view.
_GRID, _SHARE = (4, 5), 1 / 4


@click.command("figures")
@click.option("--method", default="rw-ss", show_default=True, help="Whose network; it must have a walk.")
@seed_option
@setting_options
@click.option("--split", default="val", show_default=True, help="Which images.")
@images_option
@click.option(
    "--count", type=click.IntRange(1, 12), default=3, show_default=True, help="Or how many, drawn at random."
)
@click.option("--eigenvectors", type=click.IntRange(1, 6), default=3, show_default=True, help="To be shown.")
@click.option(
    "--out", type=folder, default=Path("results/report/figures"), show_default=True, help="Where they go."
)
def command(
    method: str,
    seed: int,
    setting: Setting,
    split: str,
    images: tuple[str, ...] | None,
    count: int,
    eigenvectors: int,
    out: Path,
) -> None:
    """Draw Figures 1, 3 and 5 of the RW-SS paper from a network trained by 'run' on undegraded scribbles.

    Figure 1: scribbles, truth and prediction; the representation before and after the walk; leading
    eigenvectors of P. Figure 3: computing matrices. Figure 5: where each location varies under a transform.

    Of a symmetric walk (similarity: inner_product) also the hard eigenspace, Eq. 7: where the leading
    eigenvectors of the flipped image's P span another space than those of the image's.

    Give the same --dataset, --data-dir, --protocol, --set and --weights as to 'run'.

    \b
    scribblebench run --grid shrink --methods rw-ss --rates 0
    scribblebench figures --count 4
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._images import pick_images
    from scribblebench.core.errors import UserError
    from scribblebench.grid.jobs.train import trainings
    from scribblebench.training.hard_probe import hard_probe
    from scribblebench.training.looks import looks, trained_network
    from scribblebench.training.probe import probe

    undegraded = setting.library().grid("variation")
    trained = trainings(setting.ask(undegraded, [method], [seed], variants=Path("data")))
    (cell,), places = trained.to_train, trained.places
    network = trained_network(cell, places)
    ids = pick_images(places.dataset.ids(split), images, count, "figures")
    seen = list(looks(cell, places, ids))
    probes = [found for look in seen if (found := probe(network, look, eigenvectors))]
    if not probes:
        raise UserError(f"Method '{method}' has no walk to be shown. Give --method rw or rw-ss.")
    # Figure 1 leaves out the constant eigenvector, which belongs to the space.
    hard = {look.image: hard_probe(network, look, eigenvectors + 1) for look in seen}
    write(draw(cell, places.dataset, probes) | draw_hard(cell, hard), out)


def draw(cell: Cell, dataset: DatasetFolder, probes: list[Probe]) -> dict[str, dict[str, bytes]]:
    """Draw the paper's figures: name -> kind of file -> bytes."""
    from scribblebench.report.figures.figure1 import figure1
    from scribblebench.report.figures.figure3 import figure3
    from scribblebench.report.figures.figure5 import Varied, figure5

    caption = _caption(cell)
    return {
        "figure1": figure1([_example(dataset, seen) for seen in probes], caption),
        "figure3": figure3(_matrices(), *_GRID),
        "figure5": figure5([Varied(p.look.image, p.transformed, p.variation) for p in probes], caption),
    }


def draw_hard(cell: Cell, probes: dict[str, HardProbe | None]) -> dict[str, dict[str, bytes]]:
    """Draw the hard eigenspace of the images that have one, and name those that have none."""
    from scribblebench.report.figures.hard_eigenspace import hard_eigenspace

    symmetric = {image: seen for image, seen in probes.items() if seen is not None}
    if unclear := [image for image, seen in symmetric.items() if not seen.defined]:
        click.echo(
            f"hard_eigenspace leaves out {', '.join(unclear)}: the leading eigenvectors are not determined, "
            "as eigenvalues coincide or energies saturate.",
            err=True,
        )
    images = [_compared(image, seen) for image, seen in symmetric.items() if seen.defined]
    return {"hard_eigenspace": hard_eigenspace(images, _caption(cell))} if images else {}


def write(figures: dict[str, dict[str, bytes]], out: Path) -> None:
    """Write every figure and say where."""
    from scribblebench.core.files import write_atomic

    for name, drawn in figures.items():
        for kind, content in drawn.items():
            write_atomic(out / f"{name}.{kind}", content)
        click.echo(str(out / f"{name}.png"))


def _caption(cell: Cell) -> str:
    return f"{cell.method.name} on {cell.dataset}, {cell.protocol.name} protocol"


def _example(dataset: DatasetFolder, seen: Probe) -> Example:
    from scribblebench.core.errors import UserError
    from scribblebench.report.figures.figure1 import Example
    from scribblebench.sources.job import Job
    from scribblebench.sources.spec import VariantSpec

    image, window = seen.look.image, seen.look.window
    try:
        scribbles = Job(dataset, VariantSpec()).derive(image).label[window]
    except UserError:  # validation images need not have any
        scribbles = None
    return Example(
        name=image,
        photograph=seen.look.photograph,
        scribbles=scribbles,
        truth=dataset.mask(image)[window],
        prediction=seen.prediction,
        before=seen.before,
        after=seen.after,
        eigenvectors=seen.eigenvectors,
        ignore=dataset.card.ignore_index,
    )


def _compared(image: str, seen: HardProbe) -> Compared:
    from scribblebench.report.figures.hard_eigenspace import Compared

    return Compared(
        name=image,
        photograph=seen.photograph,
        size=seen.size,
        rows=(seen.rows, seen.flipped_rows, seen.distances),
        values=(seen.values, seen.flipped_values),
        sines=seen.sines,
    )


def _matrices() -> dict[str, tuple[Pixels, Pixels]]:
    from scribblebench.ops.transforms import Flip, computing_matrices, translation

    transforms = {"flip": Flip(), "translation": translation(_GRID[0], _SHARE, lambda name: 1.0)}
    pairs = {name: computing_matrices(transform, *_GRID) for name, transform in transforms.items()}
    return {name: (left.numpy(), right.numpy()) for name, (left, right) in pairs.items()}
