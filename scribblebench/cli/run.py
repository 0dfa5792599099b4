"""``scribblebench run``: train every method of a grid on every variant."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from scribblebench.cli._choices import strokes_option
from scribblebench.cli._how import how_options, log_level_option, quiet_option
from scribblebench.cli._options import CardName, Names, Seeds, folder, read_rates, variants_option
from scribblebench.cli._setting import Setting, setting_options
from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from scribblebench.core.cards import GridCard
    from scribblebench.grid.display import Display
    from scribblebench.grid.how import How
    from scribblebench.grid.jobs import GridJob, Work


# Options that are not called as what they become.
_SPELT = {"strokes": "from"}


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
    "--rates",
    metavar="R[,R...]",
    callback=read_rates,
    help="These rates of the grid's degradations in place of the card's, such as 0,0.4; 0 is undegraded.",
)
@click.option(
    "--variant",
    "variant",
    multiple=True,
    type=folder,
    help="Train on this folder of make-dataset in place of the grid's variants. Repeatable.",
)
@strokes_option
@click.option("--seeds", type=Seeds(), help="Seeds of strokes and training together, such as 0,1,2.")
@setting_options
@how_options
@variants_option
@click.option(
    "--keep-predictions",
    is_flag=True,
    help="Keep label maps of the val images below RUNS/predictions, of finished cells too.",
)
@quiet_option
@log_level_option
@click.option("--dry-run", is_flag=True, help="Print the cells and what they will take; train nothing.")
@click.option("--probe", is_flag=True, help="With --dry-run: time some steps of methods without a like cell.")
def command(
    grid: str,
    methods: tuple[str, ...] | None,
    rates: tuple[float, ...] | None,
    seeds: tuple[int, ...] | None,
    setting: Setting,
    variant: tuple[Path, ...],
    strokes: str | None,
    make_how: Callable[[], How],
    variants: Path,
    keep_predictions: bool,
    quiet: bool,
    dry_run: bool,
    probe: bool,
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
    from scribblebench.grid.jobs import JOBS

    if probe and not dry_run:
        raise UserError("--probe belongs to --dry-run. Add that, or leave --probe out.")
    how = make_how()
    card = setting.library().grid(grid)
    job = JOBS.build(card.job, {}, f"grid '{card.name}'")
    refuse_unused(job, card)
    asked = setting.ask(card, methods or card.methods, seeds or card.seeds, variants, rates)
    asked = replace(asked, variant=variant, strokes=strokes, keep_predictions=keep_predictions)
    work = job.plan(asked)
    for warning in work.warnings():
        click.echo(f"Warning: {warning}.", err=True)
    if dry_run:
        show(work, how, probe)
    else:
        execute(work, how, Shown(card.name, setting.runs, quiet), keep_predictions)


def refuse_unused(job: GridJob, grid: GridCard) -> None:
    """Look whether the job has a use for all options of this command line.

    Raises:
        UserError: it has none for some.
    """
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
    return ", ".join(f"--{_SPELT.get(name, name).replace('_', '-')}" for name in names)


def show(work: Work, how: How, probe: bool) -> None:
    """Print the cells, how far each has come, and what those that are missing will take.

    Raises:
        NoSpaceError: the disk has no room for them.
    """
    cells, forecast = work.cells(), work.forecast(how, probe)
    for name, standing in cells.items():
        note = forecast.notes.get(name) if forecast else None
        click.echo(f"{standing:<11}  {name}{f'  {note}' if note else ''}")
    for line in forecast.summary if forecast else ():
        click.echo(line)
    missing = sum(standing != "done" for standing in cells.values())
    click.echo(f"{len(cells)} cells, {missing} missing")
    if forecast:
        forecast.require_room()


@dataclass(frozen=True)
class Shown:
    """Where a run tells how far it is.

    Attributes:
        grid: name of the grid card.
        runs: folder of records; the log file lies in its folder ``grids``.
        quiet: nothing on stderr.
    """

    grid: str
    runs: Path
    quiet: bool = False

    def display(self, cells: Collection[str]) -> Display:
        """Return a display of so many cells."""
        from rich.console import Console

        from scribblebench.grid.display import Display
        from scribblebench.store.plan import log_file, plan_name

        log = log_file(self.runs, plan_name(self.grid, cells))
        return Display(len(cells), Console(stderr=True, quiet=self.quiet), log)


def execute(work: Work, how: How, shown: Shown, keep_predictions: bool = False) -> None:
    """Run what is missing; a failed cell makes the exit code 1, one that another process is at makes it 3."""
    cells = work.cells()
    with shown.display(cells) as display:
        outcome = work.run(how, display)
    counts = {
        "run now": outcome.run,
        "failed": outcome.failed,
        "done before": outcome.before,
        "left to another process": outcome.left,
    }
    told = [f"{count} {what}" for what, count in counts.items() if count or what in ("run now", "failed")]
    also = f", predictions in {shown.runs / 'predictions'}" if keep_predictions else ""
    click.echo(f"{len(cells)} cells, {', '.join(told)}; records in {shown.runs}{also}")
    if outcome.failed or outcome.left:
        sys.exit(1 if outcome.failed else 3)
