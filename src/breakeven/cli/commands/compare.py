"""Measure two commits, or two versions of a library, in the same rounds: did anything become slower?

Exit code 0: nothing became slower; 1: something became slower, or does not run any more; 2: that is unknown.
The command measures single inputs on this machine. It does not compare the records of two machines.
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
    from breakeven.pipeline.compare.paired import Change

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
    """Add the two sides to compare, and the options."""
    parser.add_argument("first", nargs="?", metavar="REV_A", help="a commit, or `workspace`: what lies here")
    parser.add_argument("second", nargs="?", metavar="REV_B", help="likewise; it is held against the first")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PATH",
        help="a Python, or the folder of a virtual environment, to run what lies here with; given twice, the "
        "second is held against the first; given once, against this Python",
    )
    parser.add_argument(
        "--with",
        action="append",
        default=[],
        dest="packages",
        metavar="PACKAGE",
        help="run what lies here with another version of a library, as onnxruntime==1.22.0, and hold it "
        "against the installed one; or a folder with packages; may be given several times",
    )
    parser.add_argument("--hardware", default="cpu1", help="default: cpu1")
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
        "--stored",
        action="store_true",
        help="compare what each measured in its time: at once, unpaired, with wider intervals",
    )


def run(chosen: Namespace) -> int:
    """Compare the two sides, and print a table.

    Returns:
        The exit code: 0 if nothing became slower, 1 if something did, 2 if that is unknown.
    """
    _require_two_sides(chosen)
    try:
        first, second, how, changes = _compared(chosen)
    except UserError:
        raise
    except Exception:  # Python's own exit code, 1, would mean "slower"
        if interrupts.received():
            raise
        traceback.print_exc()
        return UNKNOWN
    _show(f"{second} against {first} on {chosen.hardware}, {how}", changes)
    for title, kind in (
        (f"slower than {first}, or gone", [change for change in changes if change.worse]),
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


def _require_two_sides(chosen: Namespace) -> None:
    """Raise a `UserError` unless the options name exactly two things to compare, of one kind."""
    kinds = [bool(chosen.first), bool(chosen.python), bool(chosen.packages)]
    if sum(kinds) != 1 or (chosen.first and not chosen.second) or len(chosen.python) > 2:
        raise UserError(
            "name two things to compare: two commits (breakeven compare main workspace), one or two Pythons "
            "(--python PATH), or other versions of libraries (--with onnxruntime==1.22.0)."
        )
    if chosen.stored and not chosen.first:
        raise UserError("--stored compares commits: nothing is stored of another Python or version.")


def _compared(chosen: Namespace) -> "tuple[str, str, str, list[Change]]":
    """Return the names of both sides, how they were compared, and the changes."""
    from breakeven.pipeline.compare import versions
    from breakeven.pipeline.compare.paired import paired
    from breakeven.pipeline.compare.stored import stored

    what = (chosen.hardware, chosen.variant)
    if chosen.stored:
        how = "unpaired: each over the eager mode of its own run"
        return chosen.first, chosen.second, how, stored(chosen.first, chosen.second, *what)
    if chosen.first:
        return chosen.first, chosen.second, "in the same rounds", paired(chosen.first, chosen.second, *what)
    with ExitStack() as stack:
        if chosen.packages:
            pythons = [stack.enter_context(versions.with_packages(chosen.packages))]
            names = ["the installed version", f"with {' '.join(chosen.packages)}"]
        else:
            pythons = [versions.python_at(each) for each in chosen.python]
            names = chosen.python if len(pythons) > 1 else ["this Python", *chosen.python]
        first, second = [THIS_PYTHON, *pythons][-2:]
        how = f"in the same rounds; what differs: {versions.differences(first, second)}"
        return names[0], names[1], how, versions.versions(first, second, (names[0], names[1]), *what)


def _show(title: str, changes) -> None:  # type: ignore[no-untyped-def]
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left")
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
