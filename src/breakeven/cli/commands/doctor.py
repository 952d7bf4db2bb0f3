"""Check what is installed and what this machine can do; name the command for what is missing."""

from argparse import ArgumentParser, Namespace

GROUP = "set up"
EXAMPLE = "breakeven doctor"
ANYWHERE = True  # it needs no project


def arguments(parser: ArgumentParser) -> None:
    """Add no options."""


def run(chosen: Namespace) -> None:
    """Print each check with its remedy, and a last line that sums them up."""
    from rich.console import Console
    from rich.text import Text

    from breakeven.cli import machine_checks
    from breakeven.core.format import wrapped

    console, indent = Console(), " " * 8
    checks = []
    for check in machine_checks.examine():
        checks.append(check)
        mark = "  ok  " if check.fine else "  --  "
        console.print(
            Text(wrapped(check.what, console.width, mark, indent), "" if check.fine else "bold"),
            soft_wrap=True,
        )
        if check.remedy and not check.fine:
            console.print(Text(wrapped(check.remedy, console.width, indent, indent)), soft_wrap=True)
    last = wrapped(machine_checks.summary(checks), console.width, "", "")
    console.print(Text(last, "bold"), soft_wrap=True)
