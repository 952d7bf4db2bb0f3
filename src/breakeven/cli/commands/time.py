"""Time functions, models and scripts side by side, and say which is faster.

Exit code 0: done; 1: surely slower than --fail-if-slower allows; 2: wrong usage, or a target that fails; 3:
undecided under --fail-if-slower.
"""

import re
import sys
import traceback
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from breakeven.engine.result import Result, TimedVariant
    from breakeven.engine.settings import RunProgress
    from breakeven.engine.variant_specs import Given

GROUP = "measure"
EXAMPLE = "breakeven time old=sums.py:loop new=sums.py:builtin"
ANYWHERE = True  # it needs no project
DONE, SLOWER, FAILED, UNDECIDED = 0, 1, 2, 3  # exit codes


def share(text: str) -> float:
    """Parse a share, for example 2% or 0.02."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        raise ArgumentTypeError(f"{text}: give a share below 1, as 2% or 0.02")
    return value


def width(text: str) -> float:
    """Parse a share above zero."""
    if not (value := share(text)):
        raise ArgumentTypeError(f"{text}: must be above 0")
    return value


def seconds(text: str) -> float:
    """Parse a time above zero, in seconds."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise ArgumentTypeError(f"{text}: give seconds, as 60")
    return value


def shape(text: str) -> tuple[int, ...]:
    """Parse a shape, for example 1x3x224x224."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise ArgumentTypeError(f"{text}: give a shape, as 1x3x224x224")
    return tuple(int(part) for part in text.split("x"))


def arguments(parser: ArgumentParser) -> None:
    """Add the targets and the options."""
    parser.add_argument(
        "targets",
        nargs="+",
        metavar="[NAME=]TARGET",
        help="file.py:function, package.module:function, or an artifact's folder; the function is a "
        "factory: it runs once, untimed, and what it returns is timed",
    )
    add = parser.add_argument
    add(
        "--input",
        action="append",
        type=shape,
        default=[],
        metavar="SHAPE",
        help="an argument of each call, as 1x3x224x224: random float32 numbers; repeat it for more arguments",
    )
    add("--direct", action="store_true", help="time the function itself, not what it returns")
    add("--within", type=width, default=0.01, metavar="SHARE", help="precision to stop at; default: 1%%")
    add("--max-seconds", type=seconds, default=60.0, metavar="S", help="time to stop at; default: 60")
    add(
        "--against",
        metavar="NAME",
        help="the target to compare with; default: the first, or the commit of --at",
    )
    add("--at", metavar="COMMIT", help="compare with the same target in another commit")
    add("--check", choices=("close", "equal", "off"), default="close", help="compare the outputs first")
    add("--threads", type=int, default=1, metavar="N", help="processor threads of each target; default: 1")
    add("--device", default="cpu", help="cpu, cuda or cuda:1; default: cpu")
    add("--json", type=Path, metavar="FILE", help="write all figures to a file, too")
    add(
        "--fail-if-slower", type=share, metavar="SHARE", help="exit 1 if a target is slower than this, as 2%%"
    )


def run(chosen: Namespace) -> int:
    """Measure the targets, print the result, and return the exit code."""
    try:
        result = _measure(chosen)
        print(result)
        if chosen.json:
            from breakeven.core.files import write_json
            from breakeven.core.secrets import redact_all

            write_json(chosen.json, redact_all(result.to_dict()))
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"breakeven: {error}.", file=sys.stderr)
        return FAILED
    except Exception:  # Python's own exit code, 1, would mean "slower"
        traceback.print_exc()
        return FAILED
    return exit_code(result, chosen.fail_if_slower)


def exit_code(result: "Result", allowed: float | None) -> int:
    """Return the exit code: 2 if a target failed, 1 if one is slower, 3 if one may be slower, 0 otherwise.

    Args:
        allowed: the slowdown that is allowed, as a share of the time; None allows any slowdown.
    """
    from breakeven.engine.samples import UNTIMED

    if any(each.verdict in UNTIMED for each in result.others):
        return FAILED
    if allowed is None:
        return DONE
    codes = {_decision(each, allowed) for each in result.others}
    return next((code for code in (SLOWER, UNDECIDED) if code in codes), DONE)


def _decision(each: "TimedVariant", allowed: float) -> int:
    """Return the exit code for one target, decided by its whole corrected interval."""
    least = 1 / (1 + allowed)  # the smallest speedup that is allowed
    if each.speedup is None:
        return UNDECIDED
    if each.speedup.high < least and each.verdict == "slower":
        return SLOWER
    return DONE if each.speedup.low >= least else UNDECIDED


def _measure(chosen: Namespace) -> "Result":
    from breakeven.engine.api import measure

    if chosen.threads < 1:
        raise UserError(f"--threads {chosen.threads}: give 1 or more.")
    with ExitStack() as stack:
        variants, baseline = _variants(chosen, stack)
        if chosen.against and chosen.against not in variants:
            raise UserError(f"--against {chosen.against}: is none of the targets {', '.join(variants)}.")
        allowed = chosen.fail_if_slower
        return measure(
            variants,
            _inputs(chosen.input),
            baseline=chosen.against or baseline,
            within=chosen.within,
            max_seconds=chosen.max_seconds,
            threads=chosen.threads,
            device=chosen.device,
            check=chosen.check,
            margin=0.01 if allowed is None else min(0.01, allowed),
            progress=stack.enter_context(_progress_line()),
        )


def _variants(chosen: Namespace, stack: ExitStack) -> "tuple[dict[str, Given], str | None]":
    """Return the variants by name, and the name of the default baseline."""
    from breakeven.engine import at_commit
    from breakeven.engine.variant_specs import parse

    named = name_targets(chosen.targets)
    if chosen.fail_if_slower is not None and len(named) == 1 and not chosen.at:
        raise UserError(
            "--fail-if-slower: one target alone has nothing to be slower than: add --at COMMIT, or a target."
        )
    if not chosen.at:
        here = [str(Path.cwd())]
        return {name: parse(text, direct=chosen.direct, paths=here) for name, text in named.items()}, None
    if len(named) != 1:
        raise UserError("--at: give one target, which is compared with itself in the other commit.")
    ((name, text),) = named.items()
    tree = stack.enter_context(at_commit.checkout(chosen.at))
    here = at_commit.here_paths()
    there = at_commit.paths_in(tree, here)
    name_at_commit = f"{name}@{chosen.at}"
    return {
        name_at_commit: parse(text, direct=chosen.direct, paths=there, within=str(tree)),
        name: parse(text, direct=chosen.direct, paths=here),
    }, name_at_commit


def name_targets(targets: list[str]) -> dict[str, str]:
    """Return name -> target.

    A target without a name gets the name of its function, or its whole text if two functions share a name.

    Raises:
        UserError: two targets have the same name, or a name or target is empty.
    """
    pairs = []
    for text in targets:
        name, equals, target = text.partition("=")
        if equals and (not name or not target):
            raise UserError(f"{text}: give NAME=TARGET.")
        pairs.append((name, target) if equals else ("", text))
    short = [name or target.rpartition(":")[2] for name, target in pairs]
    names = [
        name or (target if short.count(each) > 1 else each)
        for (name, target), each in zip(pairs, short, strict=True)
    ]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UserError(f"{twice}: two targets have this name; give them names, as first={pairs[0][1]}.")
    return dict(zip(names, (target for _, target in pairs), strict=True))


def _inputs(shapes: list[tuple[int, ...]]) -> tuple[Any, ...] | None:
    """Return random float32 arrays of these shapes, the same in each run; None without shapes."""
    if not shapes:
        return None
    import numpy as np

    draw = np.random.default_rng(0)
    return tuple(draw.standard_normal(each, dtype=np.float32) for each in shapes)


@contextmanager
def _progress_line() -> Iterator[Any]:
    """Show one line of progress in a terminal, and erase it at the end; update it between replicates."""
    terminal = sys.stderr.isatty()

    def show(step: "RunProgress") -> None:
        if terminal:
            print(f"\r\x1b[K{str(step)[:79]}", end="", file=sys.stderr, flush=True)

    try:
        yield show
    finally:
        if terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
