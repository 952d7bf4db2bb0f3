"""Which optimization of a PyTorch model pays off, where, and at what cost in accuracy: the commands."""

import argparse
import importlib
import os
import pkgutil
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

from breakeven import __version__
from breakeven.cli import commands
from breakeven.cli.argument_parser import ArgumentParser
from breakeven.core import extras, interrupts, paths
from breakeven.core.errors import UserError
from breakeven.core.machine_errors import machine_fault
from breakeven.core.secrets import hide_in_output

GROUPS = ("decide", "measure", "understand", "deploy", "set up", "house-keeping")
FIRST_STEPS = (
    "Start with `dvc repro` (in a clone: `make repro`), which makes the results, and open "
    "results/report.html. Use `breakeven-sweep` for sweeps. `breakeven COMMAND --help` has an example."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, and return its exit code.

    Args:
        arguments: the words after `breakeven`; None: those of this process, which is then the program itself.
    """
    if arguments is None:
        interrupts.handle("interrupted")
    hide_in_output()
    paths.import_from_here()
    modules = {name: module_of(name) for name in names()}
    parser = ArgumentParser(
        prog="breakeven",
        usage="breakeven COMMAND ...",
        description=_overview(modules),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"breakeven {__version__}")
    parsers = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", help=argparse.SUPPRESS, prog="breakeven"
    )
    for name, module in modules.items():
        module.arguments(parsers.add_parser(name, **_described(module)))
    chosen, unknown = parser.parse_known_args(arguments)
    if unknown:
        parsers.choices[chosen.command].refuse(unknown)
    command = modules[chosen.command]
    try:
        if not getattr(command, "ANYWHERE", False):
            paths.require_project()
        code = command.run(chosen) or 0
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return getattr(command, "CODE_OF_ERRORS", 1)
    except ModuleNotFoundError as error:
        if not (sentence := extras.missing(error)):
            raise
        print(f"breakeven: {sentence}", file=sys.stderr)
        return 1
    except (ImportError, OSError, MemoryError) as error:
        if not (fault := machine_fault(error)):
            raise
        print(f"breakeven: {fault}.", file=sys.stderr)
        return getattr(command, "CODE_OF_ERRORS", 1)
    except KeyboardInterrupt:
        print("breakeven: interrupted.", file=sys.stderr)
        return 130


def command_parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    """Return the parser of one command, whose help is that of `breakeven NAME --help`."""
    parser = ArgumentParser(prog=f"breakeven {name}", **_described(module))
    module.arguments(parser)
    return parser


def _described(module: ModuleType) -> dict[str, Any]:
    """Return the texts around a command's help."""
    return {"description": module.__doc__, "epilog": f"example: {module.EXAMPLE}"}


def _overview(modules: Mapping[str, ModuleType]) -> str:
    """Return the description of the program: its commands, grouped by what people do with them."""
    width = min(shutil.get_terminal_size().columns, 120) - 2
    wide = max(map(len, modules))
    lines = [textwrap.fill(__doc__ or "", width), "", textwrap.fill(FIRST_STEPS, width)]
    for group in GROUPS:
        members = {name: module for name, module in modules.items() if group == module.GROUP}
        lines += [f"\n{group}:"] if members else []
        for name, module in members.items():
            summary = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
            first = f"  {name:{wide}}  "
            lines.append(
                textwrap.fill(
                    summary[0].lower() + summary[1:],
                    width,
                    initial_indent=first,
                    subsequent_indent=" " * len(first),
                )
            )
    return "\n".join(lines)


def sweep() -> None:
    """Run the program `breakeven-sweep`."""
    interrupts.handle("interrupted; run the same command to go on")
    try:
        from breakeven.pipeline.sweep.main import main as run
    except ModuleNotFoundError as error:
        if not (sentence := extras.missing(error)):
            raise
        sys.exit(f"breakeven: {sentence}")
    run()


def names() -> list[str]:
    """Return the names of all commands; where a module's name has an underscore, they have a dash."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__))


def module_of(name: str) -> ModuleType:
    """Return the module of a command."""
    return importlib.import_module(f"breakeven.cli.commands.{name.replace('-', '_')}")
