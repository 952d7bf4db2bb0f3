"""Measure two commits' artifacts in the same rounds: did anything become slower?

Exit code 0: nothing became slower; 1: something became slower, or does not run any more; 2: that is unknown.
The command measures single inputs on this machine. It does not compare the records of two machines.
"""

import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace

from breakeven.core import interrupts
from breakeven.core.errors import UserError

EXAMPLE = "breakeven compare main workspace --variant '*/int8-*/*'"
SLOWER, UNKNOWN = 1, 2  # exit codes
CODE_OF_ERRORS = UNKNOWN


def fraction(text: str) -> float:
    """Parse a share of a time: at least 0, and below 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ArgumentTypeError(f"{text}: give a share from 0 to below 1, as 0.05")
    return value


def arguments(parser: ArgumentParser) -> None:
    """Add the two commits and the options."""
    parser.add_argument("first", metavar="REV_A", help="a commit, or `workspace`: what lies here")
    parser.add_argument("second", metavar="REV_B", help="likewise; it is held against the first")
    parser.add_argument("--hardware", default="cpu1", help="default: cpu1")
    parser.add_argument("--variant", default="*", metavar="PATTERN", help="as '*/int8-*/*'; default: all")
    parser.add_argument(
        "--tolerance",
        type=fraction,
        default=0.05,
        metavar="SHARE",
        help="the slowdown that need not be ruled out where an interval holds 1; default: 0.05",
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="compare what each measured in its time: at once, unpaired, with wider intervals",
    )


def run(chosen: Namespace) -> int:
    """Compare the two commits, and print a table.

    Returns:
        The exit code: 0 if nothing became slower, 1 if something did, 2 if that is unknown.
    """
    from breakeven.pipeline.compare.paired import paired
    from breakeven.pipeline.compare.stored import stored

    both = (chosen.first, chosen.second, chosen.hardware, chosen.variant)
    try:
        changes = stored(*both) if chosen.stored else paired(*both)
    except UserError:
        raise
    except Exception:  # Python's own exit code, 1, would mean "slower"
        if interrupts.received():
            raise
        traceback.print_exc()
        return UNKNOWN
    how = "unpaired: each over the eager mode of its own run" if chosen.stored else "in the same rounds"
    _show(f"{chosen.second} against {chosen.first} on {chosen.hardware}, {how}", changes)
    for title, kind in (
        (f"slower than {chosen.first}, or gone", [change for change in changes if change.worse]),
        (
            f"a slowdown of {chosen.tolerance:.1%} or more cannot be ruled out",
            [change for change in changes if change.unknown(chosen.tolerance)],
        ),
    ):
        if kind:
            listed = ", ".join(f"{change.family} {change.variant}" for change in kind)
            print(f"breakeven: {title}: {listed}.", file=sys.stderr)
            return SLOWER if kind[0].worse else UNKNOWN
    return 0


def _show(title: str, changes) -> None:  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in ("family", "variant", "verdict", "speedup", "interval"):
        table.add_column(column, no_wrap=column != "verdict")
    for change in changes:
        gain = change.gain
        table.add_row(
            change.family,
            change.variant,
            escape(f"{change.verdict} ({change.reason})" if change.reason else change.verdict),
            f"{gain.value:.3f}x" if gain else "",
            f"{gain.low:.3f} to {gain.high:.3f}" if gain else "",
        )
    Console(width=max(120, Console().width), highlight=False).print(table)
