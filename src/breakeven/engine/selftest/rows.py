"""The rows of the self-test, computed from the results of its pieces."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from breakeven.engine.selftest.aa_copies import MODELS, half_width
from breakeven.engine.selftest.ablation import METHODS, no_replicates, whole
from breakeven.engine.selftest.check import Check, average, check, median, share

WRONG = ("faster", "slower")
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
        *_others(of),
    ]


def _copies(trials: Results) -> Iterator[Check]:
    one_thread = [trial for trial in trials if "1 thread," in trial["condition"]]
    yield _false("quiet and loaded, 1 thread", one_thread, "<= 0.05")
    yield average("mean bias, A/A", "quiet and loaded, 1 thread", _biases(one_thread), "<= 0.005")
    for condition, own in _by_condition(trials):
        yield _false(condition, own, "<= 0.05" if "1 thread," in condition else "")
        different = [[hit for _, hit in whole(trial)] for trial in own]
        yield share("called different at 5%, uncorrected, A/A", condition, different)
        yield average(
            "mean bias, A/A", condition, _biases(own), "<= 0.005" if "1 thread," in condition else ""
        )
        widths = [half_width(copy["speedup"]) for trial in own for copy in trial["copies"]]
        quiet = "1 thread, quiet" in condition
        bar = ("<= 0.01" if "resnet18" in condition else "<= 0.02") if quiet else ""
        yield median("half-width of the interval", condition, widths, bar)
        yield median("replicates", condition, [len(trial["base"]) for trial in own])
        yield median("seconds a run", condition, [trial["seconds"] for trial in own])
        yield share("runs marked unreliable", condition, [[bool(trial["fault"])] for trial in own])


def _false(condition: str, trials: Results, bar: str) -> Check:
    wrong = [[copy["verdict"] in WRONG for copy in trial["copies"]] for trial in trials]
    return share("false verdicts, A/A", condition, wrong, bar)


def _biases(trials: Results) -> list[list[float]]:
    return [[float(np.mean(copy["log_ratios"])) for copy in trial["copies"]] for trial in trials]


def _slower(trials: Results, among: str, bar: str, held: float) -> Iterator[Check]:
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = defaultdict(list)
    for trial in trials:
        groups[trial["condition"], trial["copies"][0]["slower"]].append(trial)
    everything = [trial for (_, slower), own in groups.items() if slower == held for trial in own]
    if everything:
        yield _found(f"both models, 1 thread, quiet, {held:.0%} among {among}", everything, bar)
    for (condition, slower), own in sorted(groups.items()):
        place = f"{condition}, {slower:.0%} among {among}"
        yield _found(place, own, bar if slower == held else "")
        true = [[float(np.mean(c["log_ratios"])) + np.log1p(slower) for c in t["copies"]] for t in own]
        yield average("bias of a slowdown's estimate", place, true)


def _found(condition: str, trials: Results, bar: str) -> Check:
    hits = [[copy["verdict"] == "slower" for copy in trial["copies"]] for trial in trials]
    return share("slowdown found", condition, hits, bar)


def _estimators(trials: Results) -> Iterator[Check]:
    """Yield spread and bias of a replicate's log-ratio, for four ways to estimate it from the same blocks."""
    inner = {"mean of calls": 0, "median of calls": 1}
    outer = {"median of rounds": np.median, "mean of rounds": np.mean}
    for condition, own in _by_condition(trials):
        for calls, column in inner.items():
            for name, middle in outer.items():
                ratios = [_replicates(trial, column, middle) for trial in own]
                spread = [float(np.std(r, ddof=1)) for trial in ratios for r in trial]
                label = f"{condition}: {calls}, {name}"
                yield median("SD of a replicate's log-ratio", label, spread)
                yield average(
                    "bias of the estimator", label, [[float(np.mean(r)) for r in t] for t in ratios]
                )


def _replicates(trial: Mapping[str, Any], column: int, middle: Any) -> list[Any]:
    base = np.log(np.array(trial["base"]))[:, :, column]  # (replicates, rounds)
    copies = [np.log(np.array(copy["blocks"]))[:, :, column] for copy in trial["copies"]]
    return [middle(base - copy, axis=1) for copy in copies]


def _ablation(habits: Results, trials: Results) -> Iterator[Check]:
    for condition, own in _by_condition(habits):
        engine = [trial for trial in trials if trial["condition"] == condition]
        found = {
            "sequential": [habit["sequential"] for habit in own],
            "one process, paired": [habit["one process, paired"] for habit in own],
            "paired, no replicates": [no_replicates(trial) for trial in engine],
            "the whole": [whole(trial) for trial in engine],
        }
        for method in METHODS:
            hits = [[bool(hit) for _, hit in run] for run in found[method]]
            yield share("ablation: called different at 5%, A/A", f"{condition}: {method}", hits)
            worst = [abs(float(ratio)) for run in found[method] for ratio, _ in run]
            yield median("ablation: error of the ratio", f"{condition}: {method}", np.expm1(worst).tolist())
            yield check(
                "ablation: largest error of the ratio", f"{condition}: {method}", np.expm1(max(worst))
            )


def _others(of: Mapping[str, Sequence[Any]]) -> Iterator[Check]:
    for tool in ("benchmark_app", "bare loop"):
        for model, ratios in zip(MODELS, of.get(tool, ()), strict=False):
            place, off = f"{model}, 1 thread", [abs(ratio - 1) for ratio in ratios]
            middle = abs(float(np.median(ratios)) - 1)
            yield check(f"p50 against {tool}", place, middle, bar="<= 0.03")
            yield median(f"p50 over that of {tool}, each pair", place, ratios)
            yield check(f"worst pair against {tool}", place, max(off))
    for times in of.get("overhead", ()):
        shares = [value / 100 for value in times]  # from microseconds to shares of a call of 0.1 ms
        yield median("time the harness adds to a call", "a call of 0.1 ms", shares, "<= 0.01")
    for found in of.get("capacity", ()):
        place = "20 variants of resnet18, 2 hardware, 5 replicates"
        yield check("minutes", place, found["minutes"], bar="<= 10")
        yield check("memory, 10**9 bytes", place, found["gigabytes"], bar="<= 12.9")


def _by_condition(results: Results) -> list[tuple[str, list[Mapping[str, Any]]]]:
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for result in results:
        groups[result["condition"]].append(result)
    return sorted(groups.items())
