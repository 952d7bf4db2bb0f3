"""The rows of the self-test, computed from the results of its pieces."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from breakeven.engine.selftest.aa_copies import MODELS, half_width
from breakeven.engine.selftest.ablation import METHODS, no_replicates, whole
from breakeven.engine.selftest.check import Check, average, check, median, share
from breakeven.engine.selftest.time_to_verdict import LIMIT_S

WRONG_VERDICTS = ("faster", "slower")
OPPOSITE = set(WRONG_VERDICTS)
# How a condition begins and ends -> the seconds within which a slowdown should be found, and how often
BARS_OF_WAITS = {("cnn", " 2%"): (20, ">= 0.9"), ("resnet18", " 5%"): (120, ">= 0.9")}
Results = Sequence[Mapping[str, Any]]


def rows(results: Results) -> list[Check]:
    """Return all rows of the self-test.

    Args:
        results: the kind and the result of each piece.
    """
    of: dict[str, list[Any]] = defaultdict(list)
    for result in results:
        of[result["kind"]].append(result["result"])
    return [
        *_copies(of["copies"]),
        *_slower(of["slower"], "<= 4 variants", ">= 0.9", 0.02),
        *_slower(of["many slower"], "20 variants", ">= 0.99", 0.05),
        *_estimators(of["copies"]),
        *_ablation(of["habit"], of["copies"]),
        *_same_again([*of["copies"], *of["slower"]]),
        *_tails(of["copies"]),
        *_waits(of["wait"]),
        *_carry_over(of["carry-over"]),
        *_versions(of["versions"]),
        *_duets(of["duet"]),
        *_costs_and_tools(of),
    ]


def _copies(trials: Results) -> Iterator[Check]:
    one_thread = [trial for trial in trials if "1 thread," in trial["condition"]]
    yield _false("all protocols", trials, "<= 0.01")
    yield _false("quiet and loaded, 1 thread", one_thread, "<= 0.05")
    yield average("mean bias, A/A", "quiet and loaded, 1 thread", _biases(one_thread), "<= 0.005")
    for condition, group in _by_condition(trials):
        yield _false(condition, group, "<= 0.05" if "1 thread," in condition else "")
        different = [[hit for _, hit in whole(trial)] for trial in group]
        yield share("called different at 5%, uncorrected, A/A", condition, different)
        yield average(
            "mean bias, A/A", condition, _biases(group), "<= 0.005" if "1 thread," in condition else ""
        )
        widths = [half_width(copy["speedup"]) for trial in group for copy in trial["copies"]]
        quiet = "1 thread, quiet" in condition
        bar = ("<= 0.01" if "resnet18" in condition else "<= 0.02") if quiet else ""
        yield median("half-width of the interval", condition, widths, bar)
        yield median("replicates", condition, [len(trial["base"]) for trial in group])
        yield median("seconds a run", condition, [trial["seconds"] for trial in group])
        yield share("runs marked unreliable", condition, [[bool(trial["fault"])] for trial in group])


def _false(condition: str, trials: Results, bar: str) -> Check:
    wrong = [[copy["verdict"] in WRONG_VERDICTS for copy in trial["copies"]] for trial in trials]
    return share("false verdicts, A/A", condition, wrong, bar)


def _biases(trials: Results) -> list[list[float]]:
    return [[float(np.mean(copy["log_ratios"])) for copy in trial["copies"]] for trial in trials]


def _slower(trials: Results, among: str, bar: str, held: float) -> Iterator[Check]:
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = defaultdict(list)
    for trial in trials:
        groups[trial["condition"], trial["copies"][0]["slower"]].append(trial)
    everything = [trial for (_, slower), group in groups.items() if slower == held for trial in group]
    if everything:
        yield _slowdowns_found(f"both models, 1 thread, quiet, {held:.0%} among {among}", everything, bar)
    for (condition, slower), group in sorted(groups.items()):
        label = f"{condition}, {slower:.0%} among {among}"
        yield _slowdowns_found(label, group, bar if slower == held else "")
        true = [[float(np.mean(c["log_ratios"])) + np.log1p(slower) for c in t["copies"]] for t in group]
        yield average("bias of a slowdown's estimate", label, true)


def _slowdowns_found(condition: str, trials: Results, bar: str) -> Check:
    hits = [[copy["verdict"] == "slower" for copy in trial["copies"]] for trial in trials]
    return share("slowdown found", condition, hits, bar)


def _estimators(trials: Results) -> Iterator[Check]:
    """Yield spread and bias of a replicate's log-ratio, by the engine's fit and by four simple estimators."""
    inner = {"mean of calls": 0, "median of calls": 1}
    outer = {"median of rounds": np.median, "mean of rounds": np.mean}
    for condition, group in _by_condition(trials):
        own = [[copy["log_ratios"] for copy in trial["copies"]] for trial in group]
        yield from _estimator(f"{condition}: the engine's fit", own)
        for calls, column in inner.items():
            for name, middle in outer.items():
                ratios = [_replicates(trial, column, middle) for trial in group]
                yield from _estimator(f"{condition}: {calls}, {name}", ratios)


def _estimator(label: str, ratios: Sequence[Sequence[Sequence[float]]]) -> Iterator[Check]:
    """Yield spread and bias of an estimator.

    Args:
        ratios: its log-ratios, of each trial, copy and replicate.
    """
    spread = [float(np.std(copy, ddof=1)) for trial in ratios for copy in trial]
    yield median("SD of a replicate's log-ratio", label, spread)
    yield average("bias of the estimator", label, [[float(np.mean(copy)) for copy in t] for t in ratios])


def _same_again(trials: Results) -> Iterator[Check]:
    """Yield how often two runs of the same trial agree: the verdicts are equal, or contradict each other."""
    groups: dict[tuple[str, tuple[float, ...]], list[Mapping[str, Any]]] = defaultdict(list)
    for trial in trials:
        shares = tuple(copy["slower"] for copy in trial["copies"])
        groups[trial["condition"], shares].append(trial)
    for (condition, shares), group in sorted(groups.items()):
        verdicts = [[copy["verdict"] for copy in trial["copies"]] for trial in group]
        pairs = list(combinations(verdicts, 2))
        if not pairs:
            continue
        label = f"{condition}, {len(shares)} copies slower by {shares[0]:.0%}, run again"
        equal = [[one == other for one, other in zip(*pair, strict=True)] for pair in pairs]
        against = [[{one, other} == OPPOSITE for one, other in zip(*pair, strict=True)] for pair in pairs]
        yield share("equal verdicts", label, equal, ">= 0.98" if "1 thread, quiet" in condition else "")
        yield share("contradicting verdicts", label, against, "<= 0")


def _tails(trials: Results) -> Iterator[Check]:
    """Yield how often p99 has bounds, and how often these hold the p99 of all runs together."""
    for condition, group in _by_condition(trials):
        tails = [[copy["p99"] for copy in trial["copies"]] for trial in group]
        together = float(np.median([tail["value"] for own in tails for tail in own]))
        yield share(
            "p99 has bounds", condition, [[tail["high"] is not None for tail in own] for own in tails]
        )
        held = [
            [tail["low"] <= together <= tail["high"] for tail in own if tail["high"] is not None]
            for own in tails
        ]
        if any(held):
            yield share("bounds hold the middle p99 of all runs", condition, [own for own in held if own])


def _waits(results: Results) -> Iterator[Check]:
    """Yield how long it takes until a known slowdown is found."""
    for condition, group in _by_condition(results):
        seconds = [each["seconds"] if each["seconds"] is not None else LIMIT_S for each in group]
        yield median("seconds to the verdict", condition, seconds)
        for label, (within_s, bar) in BARS_OF_WAITS.items():
            if condition.startswith(label[0]) and condition.endswith(label[1]):
                found = [[each["seconds"] is not None and each["seconds"] <= within_s] for each in group]
                yield share(f"found within {within_s} s", condition, found, bar)


def _replicates(trial: Mapping[str, Any], column: int, middle: Any) -> list[list[float]]:
    """Return the estimated log-ratio of each copy in each replicate, whose numbers of rounds differ."""
    base = [np.log(rounds)[:, column] for rounds in trial["base"]]
    return [
        [
            float(middle(own - np.log(theirs)[:, column]))
            for own, theirs in zip(base, copy["rounds"], strict=True)
        ]
        for copy in trial["copies"]
    ]


def _versions(results: Results) -> Iterator[Check]:
    for condition, group in _by_condition(results):
        if group[0]["slower"]:
            found = [[each["verdict"] == "slower"] for each in group]
            yield share("slower version of a library found", condition, found, ">= 0.9")
        else:
            wrong = [[each["verdict"] in WRONG_VERDICTS] for each in group]
            yield share("equal versions called different", condition, wrong, "<= 0")


def _duets(results: Results) -> Iterator[Check]:
    """Yield how narrow an A/A interval is in duet and in turns, and how often the duet's guard holds."""
    for condition, group in _by_condition(results):
        held = [each for each in group if not each["duet"]["doubt"]]
        yield share("guard of a duet holds", condition, [[not each["duet"]["doubt"]] for each in group])
        wrong = [[each["duet"]["verdict"] in WRONG_VERDICTS] for each in held]
        if wrong:
            yield share("false verdicts of a duet, A/A", condition, wrong, "<= 0.05")
        for how in ("duet", "turns"):
            widths = [each[how]["half_width"] for each in group if each[how]["half_width"] is not None]
            if widths:
                yield median(f"half-width in {how}, A/A", condition, widths)
            yield median(f"seconds in {how}", condition, [each[how]["seconds"] for each in group])


def _carry_over(results: Results) -> Iterator[Check]:
    for condition, group in _by_condition(results):
        ratios = [each["log_ratios"] for each in group]
        yield average("carry-over, after 64 MB were read", condition, ratios, "<= 0.005")


def _ablation(habits: Results, trials: Results) -> Iterator[Check]:
    for condition, group in _by_condition(habits):
        engine = [trial for trial in trials if trial["condition"] == condition]
        runs_by_method = {
            "sequential": [habit["sequential"] for habit in group],
            "one process, paired": [habit["one process, paired"] for habit in group],
            "paired, no replicates": [no_replicates(trial) for trial in engine],
            "the whole": [whole(trial) for trial in engine],
        }
        for method in METHODS:
            hits = [[bool(hit) for _, hit in run] for run in runs_by_method[method]]
            yield share("ablation: called different at 5%, A/A", f"{condition}: {method}", hits)
            worst = [abs(float(ratio)) for run in runs_by_method[method] for ratio, _ in run]
            yield median("ablation: error of the ratio", f"{condition}: {method}", np.expm1(worst).tolist())
            yield check(
                "ablation: largest error of the ratio", f"{condition}: {method}", np.expm1(max(worst))
            )


def _costs_and_tools(of: Mapping[str, Sequence[Any]]) -> Iterator[Check]:
    for tool in ("benchmark_app", "bare loop"):
        for model, ratios in zip(MODELS, of.get(tool, ()), strict=False):
            label, off = f"{model}, 1 thread", [abs(ratio - 1) for ratio in ratios]
            middle = abs(float(np.median(ratios)) - 1)
            yield check(f"p50 against {tool}", label, middle, bar="<= 0.03")
            yield median(f"p50 over that of {tool}, each pair", label, ratios)
            yield check(f"worst pair against {tool}", label, max(off))
    for times in of.get("overhead", ()):
        shares = [value / 100 for value in times]  # from microseconds to shares of a call of 0.1 ms
        yield median("time the harness adds to a call", "a call of 0.1 ms", shares, "<= 0.01")
    for capacity in of.get("capacity", ()):
        label = "20 variants of resnet18, 2 hardware, 5 replicates"
        yield check("minutes", label, capacity["minutes"], bar="<= 10")
        yield check("memory, 10**9 bytes", label, capacity["gigabytes"], bar="<= 12.9")


def _by_condition(results: Results) -> list[tuple[str, list[Mapping[str, Any]]]]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in results:
        groups[result["condition"]].append(result)
    return sorted(groups.items())
