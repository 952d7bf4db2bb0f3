"""The figures of a row as text, for every table and sentence that shows them."""

from breakeven.core.format import brief, times
from breakeven.results.result_row import ResultRow
from breakeven.results.score_text import bounds_text, change_text, same_text

BEYOND_LIMITS = "!"  # the mark of variants that may exceed a limit, in tables and charts
BEYOND = 1000  # bounds above it mean nothing: two replicates that differ give almost any bound


def number(value: float | None, form: str, unit: str = "") -> str:
    """Return a formatted value; empty if there is none."""
    return "" if value is None else f"{value:{form}}{unit}"


def p99(row: ResultRow) -> str:
    """Return the 99th percentile of calls in milliseconds, with its interval if the data hold one."""
    value, low, high = row.latency_ms_p99, row.latency_ms_p99_ci_low, row.latency_ms_p99_ci_high
    return number(value, ".4g") + (f" ({low:.4g} to {high:.4g})" if low and high else "")


def of_means(row: ResultRow) -> str:
    """Return the speedup by the mean of all calls with its interval, and the share of slow calls."""
    value, low, high = row.speedup_of_means, row.speedup_of_means_ci_low, row.speedup_of_means_ci_high
    bounds = f" ({low:.2f} to {high:.2f})" if low and high and high < BEYOND else ""
    parts = [number(value, ".2f", "x") + bounds, number(row.slow_share, ".1%", " slow")]
    return "; ".join(filter(None, parts))


def throughput(row: ResultRow) -> str:
    """Return the inputs per second, with a note if they are the most within the study's limit of p99."""
    return number(row.throughput_per_s, ",.0f") + (
        " (most that surely keeps the limit of p99)" if row.best_within_limit else ""
    )


def breakeven(row: ResultRow) -> str:
    """Return the break-even calls without their bounds."""
    value = row.breakeven_calls or ""
    return brief(float(value)) if value.isdigit() else value


def calls(row: ResultRow) -> str:
    """Return the break-even calls with their bounds, since start times are noisy."""
    value, *bounds = row.breakeven_calls, row.breakeven_calls_low, row.breakeven_calls_high
    told = [brief(float(bound)) for bound in bounds if bound and bound.isdigit()]
    if not value or not value.isdigit():
        return value or ""
    return breakeven(row) + (f" ({' to '.join(told)})" if len(told) == 2 else "")


def calls_without_training(row: ResultRow) -> str:
    """Return the break-even calls if training costs nothing; empty if nothing was trained, or none pay."""
    value = row.breakeven_calls_without_training or ""
    return brief(float(value)) if value.isdigit() else ""


def memory(row: ResultRow) -> str:
    """Return the peak memory in megabytes. Less than one cannot be told from what the imports left free."""
    value = row.peak_memory_mb
    return "<1" if value is not None and value < 1 else number(value, ".0f")


def all_calls(row: ResultRow) -> str:
    """Return the break-even calls with their bounds, and what they are without training."""
    untrained = calls_without_training(row)
    return calls(row) + (f"; {untrained} without training" if untrained else "")


def interval(row: ResultRow) -> str:
    """Return the interval of the speedup."""
    low, high = row.speedup_ci_low, row.speedup_ci_high
    if low is None or high is None:
        return ""
    return f"{low:.2f} to {high:.2f}" if high < BEYOND else f"{low:.2f} to {high:.0e}"


def in_runtime(row: ResultRow) -> str:
    """Return the speedup over the uncompressed fp32 model in the same runtime, with its interval."""
    value, low, high = row.speedup_in_runtime, row.speedup_in_runtime_ci_low, row.speedup_in_runtime_ci_high
    if value is None or low is None or high is None:
        return ""
    return times(value, low, high) if high < BEYOND else f"{value:.2f}x"


def change(row: ResultRow) -> str:
    """Return the change of the score from the baseline, without its unit, with its interval."""
    if row.verdict == "baseline" or row.is_twin:
        return ""
    if row.is_exact:
        return f"{change_text(row, 0.0)} (exactly)"
    return _change(row, row.score_delta, row.score_delta_ci_low, row.score_delta_ci_high)


def change_in_words(row: ResultRow) -> str:
    """Return the change of the score, or that there is none, for people who read one row."""
    return f"{same_text(row)} for each test sample" if row.is_exact else change(row)


def against_control(row: ResultRow) -> str:
    """Return the difference of the score from the control's, without its unit, with its interval."""
    return _change(row, row.control_delta, row.control_delta_ci_low, row.control_delta_ci_high)


def _change(row: ResultRow, delta: float | None, low: float | None, high: float | None) -> str:
    if delta is None or low is None or high is None:
        return ""
    return f"{change_text(row, delta)} ({bounds_text(row, low, high)})"
