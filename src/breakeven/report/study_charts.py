"""The charts of a study on the report's page: each has its data and a Vega-Lite drawing made by Altair."""

from collections.abc import Sequence

from breakeven.report.cost_charts import break_even, cold_starts
from breakeven.report.latency_charts import single_calls
from breakeven.report.score_chart import score_by_latency
from breakeven.report.speedup_chart import speedups
from breakeven.report.vega import Chart
from breakeven.results.limits import Limits
from breakeven.results.records import BenchmarkResult
from breakeven.results.result_row import ResultRow, fastest_first


def charts_of(benchmark: BenchmarkResult, rows: Sequence[ResultRow], limits: Limits) -> list[Chart]:
    """Return the charts of one family on one hardware in one scenario, in their order on the page."""
    timed = fastest_first(rows)
    charts = [
        speedups(timed),
        score_by_latency(benchmark.test_images, timed, limits),
        break_even(timed),
        single_calls(benchmark, timed),
        cold_starts(timed),
    ]
    return [chart for chart in charts if chart.data]
