"""``scribblebench run``: train every method of a grid on every variant."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from scribblebench.cli._options import CardName, Names, Seeds, folder, read_rates
from scribblebench.cli._setting import Setting, setting_options

if TYPE_CHECKING:
    from scribblebench.core.cards import GridCard
    from scribblebench.grid.how import How, Rerun
    from scribblebench.grid.jobs import GridJob, Work


@click.command("run")
@click.option(
    "--grid",
    type=CardName("grids"),
    required=True,
    help="Grid card: a job, methods, variants, seeds. See 'list grids'.",
)
@click.option(
    "--methods", type=Names("methods"), help="Only these methods, comma-separated; any card may be named."
)
@click.option(
    "--rates", metavar="R[,R...]", callback=read_rates, help="Only these rates of the grid, such as 0,0.5."
)
@click.option("--seeds", type=Seeds(), help="Seeds of strokes and training together, such as 0,1,2.")
@setting_options
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=0,
    help="Cells at once. Default: a core each, at most 4; 1 on CUDA.",
)
@click.option("--variants", type=folder, default=Path("data"), show_default=True, help="Degraded variants.")
@click.option(
    "--rerun",
    type=click.Choice(["no", "failed", "all"]),
    default="no",
    show_default=True,
    help="Forget the weights of cells that failed or were stopped, or the results of all cells, first.",
)
@click.option(
    "--keep-predictions",
    is_flag=True,
    help="Keep label maps of the val images below RUNS/predictions, of finished cells too.",
)
@click.option("--wait", is_flag=True, help="Wait for cells that another process is at (else: exit code 3).")
@click.option("--dry-run", is_flag=True, help="Print the cells and which are missing; train nothing.")
def command(
    grid: str,
    methods: tuple[str, ...] | None,
    rates: tuple[float, ...] | None,
    seeds: tuple[int, ...] | None,
    setting: Setting,
    jobs: int,
    variants: Path,
    rerun: Rerun,
    keep_predictions: bool,
    wait: bool,
    dry_run: bool,
) -> None:
    """Train every method of a grid on every variant of a dataset.

    Every finished cell leaves one JSON record in results/runs. Cells that have one are skipped, so the
    same command carries on after an interruption, and several may run at once. The exit code is 1 where
    a cell failed, and 3 where cells were left to another process.

    With --keep-predictions each cell's label maps of the validation images are kept, as palette PNGs: in
    results/runs/predictions/CELL/ID.png, and after the evaluation's CRF in CELL.crf/. Cells that were done
    before are evaluated again for them, not trained again.

    \b
    scribblebench run --grid shrink
    scribblebench run --grid drop --methods baseline,rw-ss --rates 0,0.5 --seeds 0,1,2
    scribblebench run --grid shrink --dataset voc2012 --data-dir VOC2012 --protocol voc-mini --set epochs=4
    scribblebench run --grid shrink --methods rw-ss --rates 0,1 --keep-predictions
    scribblebench run --grid efficiency --device cpu
    """  # noqa: D301 - click wants the backspace character itself
    from scribblebench.grid.how import How
    from scribblebench.grid.jobs import JOBS

    card = setting.library().grid(grid)
    job = JOBS.build(card.job, {}, f"grid '{card.name}'")
    refuse_unused(job, card)
    asked = setting.ask(card, methods or card.methods, seeds or card.seeds, variants, rates)
    work = job.plan(replace(asked, keep_predictions=keep_predictions))
    for warning in work.warnings():
        click.echo(f"Warning: {warning}.", err=True)
    if dry_run:
        show(work)
    else:
        execute(work, How(jobs, wait, rerun), setting.runs, keep_predictions)


def refuse_unused(job: GridJob, grid: GridCard) -> None:
    """Look whether the job has a use for all options of this command line.

    Raises:
        UserError: it has none for some.
    """
    from scribblebench.core.errors import UserError
    from scribblebench.grid.jobs import GridJob

    source = click.get_current_context().get_parameter_source
    unused = [name for name in GridJob.takes if name not in job.takes]
    given = [name for name in unused if source(name) is not ParameterSource.DEFAULT]
    if given:
        raise UserError(
            f"Grid '{grid.name}' uses no {_options(given)}: "
            f"the job '{grid.job}' takes none of {_options(unused)}. Leave that out."
        )


def _options(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def show(work: Work) -> None:
    """Print the cells and how far each has come."""
    cells = work.cells()
    for name, standing in cells.items():
        click.echo(f"{standing:<11}  {name}")
    missing = sum(standing != "done" for standing in cells.values())
    click.echo(f"{len(cells)} cells, {missing} missing")


def execute(work: Work, how: How, runs: Path, keep_predictions: bool = False) -> None:
    """Run what is missing; a failed cell makes the exit code 1, one that another process is at makes it 3."""
    from rich.console import Console

    from scribblebench.grid.display import Display

    cells = len(work.cells())
    with Display(cells, Console(stderr=True)) as display:
        outcome = work.run(how, display)
    counts = {
        "run now": outcome.run,
        "failed": outcome.failed,
        "done before": outcome.before,
        "left to another process": outcome.left,
    }
    told = [f"{count} {what}" for what, count in counts.items() if count or what in ("run now", "failed")]
    also = f", predictions in {runs / 'predictions'}" if keep_predictions else ""
    click.echo(f"{cells} cells, {', '.join(told)}; records in {runs}{also}")
    if outcome.failed or outcome.left:
        sys.exit(1 if outcome.failed else 3)
