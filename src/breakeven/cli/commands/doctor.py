"""Check what is installed and what this machine can do; name the command for what is missing."""

from argparse import ArgumentParser, Namespace

GROUP = "set up"
EXAMPLE = "breakeven doctor"
ANYWHERE = True  # it needs no project


def arguments(parser: ArgumentParser) -> None:
    """Add no options."""


def run(chosen: Namespace) -> None:
    """Print a line for each check."""
    from rich.console import Console

    from breakeven.cli import machine_checks

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for check in machine_checks.examine():
        console.print(f"{'  ok' if check.fine else '  --'}  {check.what}", style="" if check.fine else "bold")
        if check.remedy and not check.fine:
            console.print(f"        {check.remedy}")
