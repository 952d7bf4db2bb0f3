"""Which optimization of a PyTorch model pays off, where, and at what cost in accuracy: the commands."""

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Sequence

from breakeven.cli import commands
from breakeven.core import extras, paths
from breakeven.core.errors import UserError
from breakeven.core.secrets import hide_in_output

FIRST = (
    "Start with `dvc repro`, which makes the results, and open results/report.html; then `recommend`, or "
    "`doctor` where something is missing. `breakeven-sweep` makes sweeps. COMMAND --help has an example."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code."""
    hide_in_output()
    paths.import_from_here()
    parser = argparse.ArgumentParser(prog="breakeven", description=__doc__, epilog=FIRST)
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    modules = {name: importlib.import_module(f"breakeven.cli.commands.{name}") for name in names()}
    for name, module in modules.items():
        said = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        own = parsers.add_parser(
            name,
            help=said[0].lower() + said[1:],
            description=module.__doc__,
            epilog=f"example: {module.EXAMPLE}",
        )
        module.arguments(own)
    chosen = parser.parse_args(arguments)
    try:
        return modules[chosen.command].run(chosen) or 0
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if not (sentence := extras.missing(error)):
            raise
        print(f"breakeven: {sentence}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("breakeven: interrupted.", file=sys.stderr)
        return 130


def sweep() -> None:
    """Run the command `breakeven-sweep`."""
    try:
        from breakeven.pipeline.sweep.main import main as run
    except ModuleNotFoundError as error:
        if not (sentence := extras.missing(error)):
            raise
        sys.exit(f"breakeven: {sentence}")
    run()


def names() -> list[str]:
    """Return the names of all commands."""
    return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
