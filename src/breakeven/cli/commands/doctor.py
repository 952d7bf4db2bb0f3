"""Say what is installed, what this machine can do, and what is missing, with the command for it."""

from argparse import ArgumentParser, Namespace

EXAMPLE = "breakeven doctor"


def arguments(parser: ArgumentParser) -> None:
    """None."""


def run(chosen: Namespace) -> None:
    """Print one line a finding."""
    from rich.console import Console

    from breakeven.cli import doctor

    console = Console(highlight=False, markup=False, soft_wrap=True)
    for finding in doctor.examine():
        console.print(
            f"{'  ok' if finding.fine else '  --'}  {finding.what}", style="" if finding.fine else "bold"
        )
        if finding.remedy and not finding.fine:
            console.print(f"        {finding.remedy}")
