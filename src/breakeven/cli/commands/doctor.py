"""Check what is installed and what this machine can do; name the command for what is missing."""

from argparse import ArgumentParser, Namespace

GROUP = "set up"
EXAMPLE = "breakeven doctor"
ANYWHERE = True  # it needs no project


def arguments(parser: ArgumentParser) -> None:
    """Add no options."""


def run(chosen: Namespace) -> None:
    """Print each check with its remedy, and a last line that sums them up."""
    import textwrap

    from rich.console import Console
    from rich.text import Text

    from breakeven.cli import machine_checks

    console = Console()

    def lines(first: str, text: str) -> str:
        return textwrap.fill(
            text,
            console.width,
            initial_indent=first,
            subsequent_indent=" " * 8,
            break_long_words=False,
            break_on_hyphens=False,
        )

    checks = []
    for check in machine_checks.examine():
        checks.append(check)
        mark = "  ok  " if check.fine else "  --  "
        console.print(Text(lines(mark, check.what), "" if check.fine else "bold"), soft_wrap=True)
        if check.remedy and not check.fine:
            console.print(Text(lines(" " * 8, check.remedy)), soft_wrap=True)
    console.print(Text(machine_checks.summary(checks), "bold"))
