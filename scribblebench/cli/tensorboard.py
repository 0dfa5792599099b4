"""``scribblebench tensorboard``: the curves of records, as TensorBoard reads them."""

from __future__ import annotations

from pathlib import Path

import click

from scribblebench.cli._options import folder, runs_option
from scribblebench.core.errors import UserError


@click.command("tensorboard")
@click.option("--out", type=folder, help="Folder of logs, one a cell. Default: RUNS/tensorboard.")
@runs_option
def command(out: Path | None, runs: Path) -> None:
    """Write the curves of all records for TensorBoard: losses, learning rate and what else was logged.

    They are those of the records, epoch by epoch, with the mIoU at the end. TensorBoard is an extra:
    pip install 'scribblebench[tensorboard]'.

    \b
    scribblebench tensorboard && tensorboard --logdir results/runs/tensorboard
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.report.scalars import write_scalars
    from scribblebench.store.record import read_records

    if not runs.is_dir():
        raise UserError(f"No folder {runs}. Run 'scribblebench run --grid shrink', or give --runs.")
    out = out or runs / "tensorboard"
    records = [record for record in read_records(runs).records if record.curve]
    count = sum(write_scalars(record, out / record.slug) for record in records)
    click.echo(f"{len(records)} cells, {count:,} scalars in {out}")
