"""``scribblebench predict``: a trained network on one's own pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scribblebench.cli._options import folder, runs_option
from scribblebench.cli._setting import device_option

if TYPE_CHECKING:
    from scribblebench.store.record import Record
    from scribblebench.training.evaluate import Labels

SHARES = "shares.json"


@click.command("predict")
@click.argument("cell")
@click.argument("images", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out", type=folder, default=Path("predictions"), show_default=True, help="Where everything goes."
)
@click.option("--crf", help="Refine with a dense CRF: deeplab or urss. Default: none.")
@device_option
@runs_option
def command(cell: str, images: tuple[Path, ...], out: Path, crf: str | None, device: str, runs: Path) -> None:
    """Predict the classes of your own pictures with the network of a finished CELL.

    CELL is METHOD@VARIANT#SEED, such as rw-ss@shrink-0.5#0 or rw@none#0; its end may be left out where one
    cell alone is meant. It may also be the name of a record in results/runs, or the path of a record or of
    weights. IMAGES are photographs, and folders with photographs in them.

    Written to --out: labels/NAME.png (palette PNGs of class indices), overlays/NAME.png (the colours over the
    photograph), and shares.json (how much of each picture is of which class, and the classes' colours).

    \b
    scribblebench run --grid shrink --methods rw-ss --rates 0.5
    scribblebench predict rw-ss@shrink-0.5#0 holiday.jpg
    scribblebench predict rw-ss photographs/ more/IMG_0001.jpg --out seen --crf deeplab
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.cli._progress import progress
    from scribblebench.core.files import to_json, write_atomic
    from scribblebench.pictures.given import given_photographs
    from scribblebench.pictures.photographs import read_photograph
    from scribblebench.refine.dense_crf import asked_crf
    from scribblebench.store.readable import find_cell
    from scribblebench.training.predict import predictor
    from scribblebench.training.provenance import pick_device

    found = find_cell(runs, cell)
    photographs = given_photographs(images, out)
    refiner = asked_crf(crf, "--crf") if crf else None
    predict = predictor(found.record, found.runs, pick_device(device), refiner)
    entries = {}
    with progress("predicting") as report:
        for done, (name, path) in enumerate(photographs.items(), 1):
            photograph = read_photograph(path)
            labels = predict(photograph)
            write_pictures(out, name, photograph, labels)
            entries[name] = {"file": str(path), **described(labels, found.record)}
            report(done, len(photographs))
    summary = {"cell": found.record.slug, "crf": crf or "", "colours": colours(found.record)}
    write_atomic(out / SHARES, to_json({**summary, "images": entries}))
    click.echo(f"{found.record.slug}: {len(photographs)} pictures; labels, overlays and {SHARES} in {out}")


def write_pictures(out: Path, name: str, photograph: Labels, labels: Labels) -> None:
    """Write one picture's label map and overlay."""
    from scribblebench.core.files import write_atomic
    from scribblebench.pictures.overlay import encode_picture, overlay
    from scribblebench.scribbles.png import encode_labels

    write_atomic(out / "labels" / f"{name}.png", encode_labels(labels), durable=False)
    shown = encode_picture(overlay(photograph, labels))
    write_atomic(out / "overlays" / f"{name}.png", shown, durable=False)


def colours(record: Record) -> dict[str, str]:
    """Return the colour of each class."""
    from scribblebench.pictures.palette import voc_palette

    shown = voc_palette()[: len(record.classes)].tolist()
    return {
        name: f"#{red:02x}{green:02x}{blue:02x}"
        for name, (red, green, blue) in zip(record.classes, shown, strict=True)
    }


def described(labels: Labels, record: Record) -> dict[str, Any]:
    """Return a picture's size, and which share of its pixels is of each class."""
    import numpy as np

    height, width = labels.shape
    shares = np.bincount(labels.reshape(-1), minlength=len(record.classes)) / labels.size
    return {
        "width": width,
        "height": height,
        "shares": dict(zip(record.classes, shares.round(6).tolist(), strict=True)),
    }
