"""How a grid is run: options of the command line that say where, how many at once, and what is shown."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from scribblebench.core.errors import UserError

if TYPE_CHECKING:
    from scribblebench.grid.how import How

# What each executor takes, for the help alone: a test compares it with their fields.
_OF_EXECUTORS = ("jobs", "per_device", "slurm", "collect")
_LEVELS = ("debug", "info", "warning", "error")


def _pairs(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    """Turn ``key=value,key=value`` into a mapping; a part without ``=`` goes on with the value before."""
    del context
    found: dict[str, str] = {}
    last = ""
    for text in given:
        for part in text.split(","):
            key, sign, value = part.partition("=")
            if sign and key.strip():
                last = key.strip().lstrip("-")
                found[last] = value
            elif last:
                found[last] += f",{part}"
            else:
                raise UserError(f"{parameter.opts[0]} {text}: write it as KEY=VALUE, such as time=240.")
    return found


_OPTIONS = (
    click.option(
        "--executor",
        type=click.Choice(["local", "slurm"]),
        default="local",
        show_default=True,
        help="Where cells run: processes of this machine, or tasks of Slurm.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(0),
        default=0,
        help="Cells at once. Default: a core each, at most 4; on CUDA as many as the cards take.",
    ),
    click.option(
        "--per-device",
        type=click.IntRange(1),
        default=1,
        show_default=True,
        help="Cells at once on each CUDA device; --device cuda means all devices, cuda:1 one.",
    ),
    click.option(
        "--slurm",
        multiple=True,
        metavar="KEY=VALUE[,...]",
        callback=_pairs,
        help="Options of sbatch, such as partition=gpu,time=240,gres=gpu:1.",
    ),
    click.option(
        "--collect",
        is_flag=True,
        help="Hand Slurm nothing; wait for the cells that an earlier call handed it.",
    ),
    click.option(
        "--wait", is_flag=True, help="Wait for cells that another process is at (else: exit code 3)."
    ),
    click.option(
        "--rerun",
        type=click.Choice(["no", "failed", "all"]),
        default="no",
        show_default=True,
        help="Forget the weights of cells that failed or were stopped, or the results of all cells, first.",
    ),
)


def how_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of ``How``, and pass it a function that makes one."""

    @functools.wraps(command)
    def gathered(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in ("executor", "wait", "rerun", *_OF_EXECUTORS)}
        command(make_how=functools.partial(_how, **chosen), **given)

    for option in reversed(_OPTIONS):
        gathered = option(gathered)
    return gathered


def _how(executor: str, wait: bool, rerun: Any, **options: Any) -> How:
    """Make it.

    Raises:
        UserError: an option belongs to another executor.
    """
    from scribblebench.grid.executors import EXECUTORS
    from scribblebench.grid.how import How

    source = click.get_current_context().get_parameter_source
    given = {name: value for name, value in options.items() if source(name) is not ParameterSource.DEFAULT}
    fields = EXECUTORS.get(executor).__struct_fields__
    if foreign := [name for name in given if name not in fields]:
        others = [name for name in EXECUTORS.names() if foreign[0] in EXECUTORS.get(name).__struct_fields__]
        option = foreign[0].replace("_", "-")
        raise UserError(f"--{option} belongs to --executor {others[0]}. Add that, or leave --{option} out.")
    return How(EXECUTORS.build(executor, given, "run"), wait, rerun)


def _set_level(context: click.Context, parameter: click.Parameter, level: str) -> None:
    del context, parameter
    logging.getLogger("scribblebench").setLevel(level.upper())


quiet_option = click.option("--quiet", "-q", is_flag=True, help="Show the last line and errors alone.")
log_level_option = click.option(
    "--log-level",
    type=click.Choice(_LEVELS),
    default="warning",
    show_default=True,
    expose_value=False,
    callback=_set_level,
    help="What the program says of its own doings, on stderr and in the log file.",
)
