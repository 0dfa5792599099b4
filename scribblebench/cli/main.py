"""The ``scribblebench`` command: subcommands are imported when they are called, so ``--help`` is quick."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import sys
import textwrap
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from scribblebench import __version__, cli
from scribblebench.cli._console import prepare_streams
from scribblebench.cli._faults import CLOSED_PIPE, answer, usage
from scribblebench.core.errors import UnknownNameError

_NOT_COMMANDS = {"main"}


class LazyCommands(click.Group):
    """Finds a subcommand in the file that bears its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the files of this package that hold commands."""
        del ctx
        modules = (m.name for m in pkgutil.iter_modules(cli.__path__) if not m.name.startswith("_"))
        return sorted(name.replace("_", "-") for name in modules if name not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in self.list_commands(ctx):
            if ctx.resilient_parsing:  # a shell asks what could follow, and has no use for an error
                return None
            raise UnknownNameError("command", cmd_name, self.list_commands(ctx))
        module = importlib.import_module(f"{cli.__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        if _DEBUG not in command.params:
            command.params.append(_DEBUG)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands with the first sentence of each one's help, read without importing any."""
        names = self.list_commands(ctx)
        width = formatter.width - 6 - max(len(name) for name in names)
        with formatter.section("Commands"):
            formatter.write_dl([(name, _first_sentence(name, width)) for name in names])


def _first_sentence(command: str, width: int) -> str:
    path = Path(cli.__path__[0]) / f"{command.replace('-', '_')}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "command"]
    told = (ast.get_docstring(functions[0]) or "").split("\n\n")[0]
    return textwrap.shorten(told.partition(". ")[0].removesuffix("."), width, placeholder="...")


@dataclass
class Switches:
    """Options of every command; the contexts of click hold it as ``obj``."""

    debug: bool = False


def _set_debug(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    del parameter
    context.ensure_object(Switches).debug |= given


_DEBUG = click.Option(
    ["--debug"],
    is_flag=True,
    expose_value=False,
    callback=_set_debug,
    help="Print the traceback of an error too.",
)


@click.group(cls=LazyCommands, params=[_DEBUG], context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="scribblebench")
def scribblebench() -> None:
    """How far does a scribble-supervised segmentation method fall when its scribbles get worse?

    \b
    scribblebench make-dataset --drop 0.3     degraded scribbles, reproducible by seed
    scribblebench run --grid shrink           train every method on every variant
    scribblebench report                      tables, curves and one HTML page

    Every command works at once on the built-in toy dataset; --dataset and --data-dir point it at
    PASCAL VOC or a folder laid out like it.
    """  # noqa: D301 - click wants the backspace character itself


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; what goes wrong is one line on stderr, and the exit code says what kind it is."""
    # Before torch is imported: threads that wait for work must not take the cores of those that have some.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    prepare_streams()
    switches, stdout = Switches(), sys.stdout
    given = sys.argv[1:] if arguments is None else arguments
    try:
        scribblebench.main(
            args=given or ["--help"], prog_name="scribblebench", standalone_mode=False, obj=switches
        )
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except SystemExit:
        # At a closed pipe click changes stdout and gives the exit code 1, which would say that a cell failed.
        if sys.stdout is not stdout:
            sys.exit(CLOSED_PIPE)
        raise
    except click.ClickException as error:
        print(usage(error), file=sys.stderr)  # noqa: T201 - an error of the command line
        sys.exit(error.exit_code)
    except BaseException as error:
        if switches.debug:
            traceback.print_exception(error)
        line, code = answer(error)
        if line:
            print(line, file=sys.stderr)  # noqa: T201 - the one place that reports errors
        sys.exit(code)
