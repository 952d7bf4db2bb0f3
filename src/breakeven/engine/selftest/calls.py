"""A test of `measure` on functions with known answers, which prints how many verdicts are right.

python -m breakeven.engine.selftest.calls [FILE.json] [--only CASE] [--runs N]
"""

import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from scipy import stats

from breakeven.core.files import write_json
from breakeven.engine.api import measure
from breakeven.engine.statistics import FASTER, SAME, SLOWER, UNDECIDED

Factory = Callable[[], Callable[[], Any]]


def spinning(milliseconds: float) -> Callable[[], None]:
    """Return a function that keeps a core busy for this time."""
    seconds = milliseconds / 1000

    def spin() -> None:
        end = perf_counter() + seconds
        while perf_counter() < end:
            pass

    return spin


def counting(turns: int) -> Callable[[], None]:
    """Return a function that takes about 100 nanoseconds, plus about 5 for each turn."""
    return partial(sum, (1,) * turns)  # type: ignore[return-value]


def nanoseconds_of(turns: int) -> float:
    """Return the time of a call of `counting(turns)`, nanoseconds: the best of 200 loops of 1000 calls."""
    call, best = counting(turns), float("inf")
    for _ in range(200):
        started = perf_counter()
        for _ in range(1000):
            call()
        best = min(best, perf_counter() - started)
    return best * 1e6


def turns_for(*nanoseconds: float) -> list[int]:
    """Return for each time how many turns of `counting` come closest to it on this machine.

    All come from one line through the times of many numbers of turns: a burst, or another clock of the
    processor, between two searches would put the times further apart than they were asked to be.
    """
    turns = range(1, 60)
    each, first = stats.theilslopes([nanoseconds_of(number) for number in turns], turns)[:2]
    return [max(1, round((time - first) / each)) for time in nanoseconds]


def copying(megabytes: int) -> Callable[[], Any]:
    """Return a function that copies an array of this size, 10**6 bytes."""
    import numpy as np

    source = np.ones(megabytes * 10**6 // 8)
    target = np.empty_like(source)
    return partial(np.copyto, target, source)


@dataclass(frozen=True)
class Case:
    """A pair of factories, with the right verdicts on the second."""

    name: str
    base: Factory
    other: Factory
    right: tuple[str, ...]
    runs: int
    max_seconds: float


def cases() -> list[Case]:
    """Return all cases, with turns that take 100 and 105 nanoseconds on this machine."""
    short, long = turns_for(100, 105)
    long = max(long, short + 1)
    aa = (SAME, UNDECIDED)
    return [
        Case("1.00 and 1.05 ms", partial(spinning, 1.0), partial(spinning, 1.05), (SLOWER,), 10, 10),
        Case("1.05 and 1.00 ms", partial(spinning, 1.05), partial(spinning, 1.0), (FASTER,), 10, 10),
        Case("100 and 105 ns", partial(counting, short), partial(counting, long), (SLOWER,), 10, 10),
        Case("copy 64 and 72 MB", partial(copying, 64), partial(copying, 72), (SLOWER,), 10, 10),
        Case("A/A 1 ms", partial(spinning, 1.0), partial(spinning, 1.0), aa, 20, 10),
        Case("A/A 100 ns", partial(counting, short), partial(counting, short), aa, 20, 10),
        Case("A/A copy 64 MB", partial(copying, 64), partial(copying, 64), aa, 20, 10),
    ]


def run(case: Case, seed: int) -> dict[str, Any]:
    """Measure a case once; return the result, and whether its verdict is right."""
    result = measure({"a": case.base, "b": case.other}, max_seconds=case.max_seconds, check="off", seed=seed)
    return {"case": case.name, "right": result["b"].verdict in case.right, **result.to_dict()}


def main() -> int:
    """Run the chosen cases; return 1 if a verdict was wrong, otherwise 0."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    parser.add_argument("--runs", type=int, default=0, help="runs of each case; default: 10, and 20 of A/A")
    chosen = parser.parse_args()
    rows = []
    print(f"{'case':20} {'right':>7}  {'speedups':19} {'widest':>7} {'replicates':>10} {'seconds':>7}")
    for case in (case for case in cases() if chosen.only in case.name):
        case_rows = [run(case, seed) for seed in range(chosen.runs or case.runs)]
        rows += case_rows
        variants = [row["variants"]["b"] for row in case_rows]
        gains = [variant["speedup"] for variant in variants]
        values = [gain["value"] for gain in gains]
        widest = max(gain["high"] / gain["low"] - 1 for gain in gains) / 2
        replicates = sum(variant["replicates"] for variant in variants) / len(case_rows)
        print(
            f"{case.name:20} {sum(row['right'] for row in case_rows):3} of {len(case_rows):<2} "
            f"{min(values):.3f} to {max(values):.3f}     ±{widest:6.1%} {replicates:10.1f} "
            f"{max(row['seconds'] for row in case_rows):7.1f}",
            flush=True,
        )
    if chosen.file:
        write_json(chosen.file, rows)
    return 0 if all(row["right"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
