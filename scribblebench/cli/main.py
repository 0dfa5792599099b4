"""The ``scribblebench`` command: subcommands are imported when they are called, so ``--help`` is quick."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from typing import Any

import click

from scribblebench import __version__, cli
from scribblebench.cli._console import prepare_streams
from scribblebench.core.errors import UnknownNameError, UserError

_NOT_COMMANDS = {"main"}


class LazyCommands(click.Group):
    """Finds a subcommand in the file that bears its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the files of this package that hold commands."""
        del ctx
        modules = (m.name for m in pkgutil.iter_modules(cli.__path__) if not m.name.startswith("_"))
        return sorted(name.replace("_", "-") for name in modules if name not in _NOT_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Import a subcommand."""
        if cmd_name not in self.list_commands(ctx):
            raise UnknownNameError("command", cmd_name, self.list_commands(ctx))
        module = importlib.import_module(f"{cli.__name__}.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
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
    """Run the command line; what the user can mend is one line on stderr and exit code 2."""
    prepare_streams()
    try:
        scribblebench.main(args=arguments, prog_name="scribblebench", standalone_mode=False)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - the one place that reports errors
        sys.exit(2)
    except BrokenPipeError:
        # Whoever reads the output has seen enough, as 'head' does. Python would complain as it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except MemoryError:
        print("Error: out of memory. Give a smaller --set batch or crop, or fewer --jobs.", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(2)
    except (OSError, UnicodeError) as error:
        # What no command has put into words of its own.
        print(f"Error: {' '.join(str(error).split())}.", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        print("Interrupted. The same command carries on.", file=sys.stderr)  # noqa: T201 - as above
        sys.exit(130)
