"""Compare two commits, or two versions of a library: did anything become slower?

Exit code 0: nothing became slower; 1: something became slower, or does not run any more; 2: that is unknown.
The command measures single inputs of both on this machine, in the same rounds. It does not compare two
machines.
"""

import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING

from breakeven.core import interrupts
from breakeven.core.errors import UserError
from breakeven.engine.interpreter import THIS_PYTHON

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from breakeven.pipeline.compare.paired import Change

GROUP = "measure"
EXAMPLE = "breakeven compare main workspace --variant '*/int8-*/*'"
SLOWER, UNKNOWN = 1, 2  # exit codes
CODE_OF_ERRORS = UNKNOWN
MOST_NAMED = 5  # variants in a sentence


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
    """Add the two sides to compare, and the options."""
    parser.add_argument(
        "first", nargs="?", metavar="REV_A", help="a commit, or `workspace` for the files of this folder"
    )
    parser.add_argument(
        "second", nargs="?", metavar="REV_B", help="likewise; speedups are those of REV_B over REV_A"
    )
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="run the artifacts of this folder with another Python: its program, or the folder of a virtual "
        "environment; given once, it is compared with this Python; given twice, the second with the first",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="packages",
        metavar="PACKAGE",
        help="run the artifacts of this folder with another version of a library, as onnxruntime==1.22.0, or "
        "with a folder of packages, and compare with the installed one; may be given several times",
    )
    parser.add_argument(
        "--hardware", default="cpu1", help="a key of `hardware` in params.yaml; default: cpu1"
    )
    parser.add_argument("--variant", default="*", metavar="PATTERN", help="as '*/int8-*/*'; default: all")
    parser.add_argument(
        "--tolerance",
        type=fraction,
        default=0.05,
        metavar="SHARE",
        help="for undecided pairs: code 0 if a slowdown of more than this is ruled out, else 2; a pair that "
        "is `slower` always gives 1; default: 0.05",
    )
    parser.add_argument(
        "--duet",
        action="store_true",
        help="run both sides at the same time, each on a core of its own, so that what slows the machine "
        "slows both; a pair for which a built-in check finds this misleading is measured in turns",
    )
    parser.add_argument(
        "--stored",
        action="store_true",
        help="compare the stored results of both commits: immediate, but with wider intervals",
    )


def run(chosen: Namespace) -> int:
    """Compare the two sides, and print a table.

    Returns:
        The exit code: 0 if nothing became slower, 1 if something did, 2 if that is unknown.
    """
    _require_two_sides(chosen)
    try:
        first, second, differs, changes = _compared(chosen)
    except UserError:
        raise
    except Exception:  # Python's own exit code, 1, would mean "slower"
        if interrupts.received():
            raise
        traceback.print_exc()
        return UNKNOWN
    title = f"{chosen.hardware}, {_how(chosen, changes)}{differs and f'; what differs: {differs}'}"
    _show(title, f"speedup of {second} over {first}", changes)
    for sentence in _complaints(first, changes, chosen.tolerance, chosen.stored):
        print(f"breakeven: {sentence}", file=sys.stderr)
    if any(change.worse for change in changes):
        return SLOWER
    return UNKNOWN if any(change.unknown(chosen.tolerance) for change in changes) else 0


def _how(chosen: Namespace, changes: "Sequence[Change]") -> str:
    """Return in words how the two sides were compared."""
    if chosen.stored:
        return "by stored results: each over the eager mode of its own run"
    if chosen.duet and not all(change.no_duet for change in changes):
        return "at the same time, on two cores"
    return "in the same rounds"


def _complaints(
    first: str, changes: "Sequence[Change]", tolerance: float, is_stored: bool
) -> "Iterator[str]":
    """Yield a sentence for each kind of change that keeps the exit code from being 0."""
    if worse := [change for change in changes if change.worse]:
        yield f"slower than {first}, or gone: {_listed(worse)}."
    unknown = [change for change in changes if change.unknown(tolerance)]
    for reason in dict.fromkeys(change.reason for change in unknown):
        named = _listed([change for change in unknown if change.reason == reason])
        if reason:
            yield f"undecided because {reason}: {named}."
            continue
        remedy = "compare without --stored" if is_stored else "raise measure.seconds_per_variant"
        yield f"measure longer ({remedy}): a slowdown of {tolerance:.1%} cannot be ruled out: {named}."


def _listed(changes: "Sequence[Change]") -> str:
    names = [f"{change.family} {change.variant}" for change in changes]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _require_two_sides(chosen: Namespace) -> None:
    """Raise a `UserError` unless the options name exactly two things to compare, of one kind."""
    kinds = [bool(chosen.first), bool(chosen.python), bool(chosen.packages)]
    if sum(kinds) != 1 or (chosen.first and not chosen.second) or len(chosen.python) > 2:
        raise UserError(
            "name two things to compare: two commits (breakeven compare main workspace), one or two Pythons "
            "(--python PATH), or other versions of libraries (--with onnxruntime==1.22.0)."
        )
    if chosen.stored and chosen.duet:
        raise UserError("--stored measures nothing, so that --duet has no meaning with it.")
    if chosen.stored and not chosen.first:
        raise UserError("--stored compares commits: nothing is stored of another Python or version.")


def _compared(chosen: Namespace) -> "tuple[str, str, str, list[Change]]":
    """Return the names of both sides, which libraries differ, and the changes."""
    from breakeven.pipeline.compare import versions
    from breakeven.pipeline.compare.paired import paired
    from breakeven.pipeline.compare.stored import stored

    what = (chosen.hardware, chosen.variant)
    if chosen.stored:
        return chosen.first, chosen.second, "", stored(chosen.first, chosen.second, *what)
    if chosen.first:
        return chosen.first, chosen.second, "", paired(chosen.first, chosen.second, *what, chosen.duet)
    with ExitStack() as stack:
        if chosen.packages:
            pythons = [stack.enter_context(versions.with_packages(chosen.packages))]
            names = ["the installed version", f"with {' '.join(chosen.packages)}"]
        else:
            pythons = [versions.python_at(each) for each in chosen.python]
            names = chosen.python if len(pythons) > 1 else ["this Python", *chosen.python]
        first, second = [THIS_PYTHON, *pythons][-2:]
        differs = versions.differences(first, second)
        changes = versions.versions(first, second, (names[0], names[1]), *what, chosen.duet)
        return names[0], names[1], differs, changes


def _show(title: str, speedup: str, changes: "Sequence[Change]") -> None:
    from itertools import groupby

    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for column in ("variant", "verdict"):
        table.add_column(column, no_wrap=True)
    table.add_column(escape(speedup), justify="right", overflow="fold")
    table.add_column("interval", justify="right", no_wrap=True)
    for family, group in groupby(sorted(changes, key=lambda change: change.family), lambda c: c.family):
        table.add_row(escape(family), style="bold")
        for change in group:
            gain = change.gain
            table.add_row(
                escape(change.variant),
                change.verdict,
                f"{gain.value:.3f}x" if gain else "",
                f"{gain.low:.3f} to {gain.high:.3f}" if gain else "",
            )
    console = Console(highlight=False, markup=False)
    console.print(title)
    console.print(table)
    for reason in dict.fromkeys(change.no_duet for change in changes if change.no_duet):
        named = _listed([change for change in changes if change.no_duet == reason])
        console.print(f"measured in turns, because {reason}: {named}")
    for change in changes:
        if change.reason:
            console.print(f"{change.family} {change.variant}: {change.verdict}, {change.reason}")
