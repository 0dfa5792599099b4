"""``scribblebench export``: a trained network for other programs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from scribblebench.cli._options import folder, runs_option

_SIZE = re.compile(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})")


class Size(click.ParamType[tuple[int, int]]):
    """A height and a width, such as ``375x500``."""

    name = "size"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Split at the x."""
        if not (found := _SIZE.fullmatch(value)):
            self.fail(f"'{value[:80]}' is not HEIGHTxWIDTH in pixels, such as 375x500", param, ctx)
        return int(found[1]), int(found[2])


@click.command("export")
@click.argument("cell")
@click.option(
    "--format",
    "kind",
    type=click.Choice(("onnx", "torch")),
    help="ONNX, or torch.export (.pt2). Default: onnx where the extra 'export' is installed, else torch.",
)
@click.option("--size", type=Size(), metavar="HEIGHTxWIDTH", help="Pictures of one size. Default: any size.")
@click.option("--out", type=folder, default=Path("exports"), show_default=True, help="Where the files go.")
@runs_option
def command(cell: str, kind: str | None, size: tuple[int, int] | None, out: Path, runs: Path) -> None:
    """Write the network of a finished CELL for other programs, as ONNX or torch.export.

    CELL is named as for 'predict': METHOD@VARIANT#SEED such as rw-ss@shrink-0.5#0, the name or path of a
    record, or the path of weights.

    Written to --out: NAME.onnx or NAME.pt2, and NAME.json with what to do to a picture before and to the
    logits behind: mean, std, channels, padding, the classes' names, and which cell it is. ONNX is an extra:
    pip install 'scribblebench[export]'.

    \b
    scribblebench run --grid shrink --methods rw-ss --rates 0.5
    scribblebench export rw-ss@shrink-0.5#0
    scribblebench export rw-ss --format torch --size 375x500 --out deployed
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.store.readable import find_cell
    from scribblebench.training.export import export, has_onnx

    found = find_cell(runs, cell)
    done = export(found.record, found.runs, out, kind or ("onnx" if has_onnx() else "torch"), size)
    for words in done.left_out:
        click.echo(f"Not in the file: {words}.", err=True)
    click.echo(f"{found.record.slug}: {done.network}, described in {done.description}")
