"""The description of a registered version: what was chosen, why, and how to load it. Markdown."""

from collections.abc import Mapping

from breakeven.core.format import brief
from breakeven.results.answer import speedup_bounds
from breakeven.results.result_row import ResultRow, title
from breakeven.results.score_text import metric_title, score_text


def describe(row: ResultRow, why: Mapping[str, str], address: str) -> str:
    """Return the description of a version.

    Args:
        row: its measurements.
        why: "limits", "because" and "warnings", as far as they are known.
        address: to load the version by.
    """
    parts = [
        f"**{row.variant}** for {row.family} on {title(row)}.",
        "\n".join(f"- {figure}" for figure in _figures(row)),
        f"Chosen because {why['because']}." if why.get("because") else "",
        f"Limits: `{why['limits']}`." if why.get("limits") else "",
        *(f"**Warning:** {warning}" for warning in why.get("warnings", "").splitlines()),
        "Load it while MLflow answers at `MLFLOW_TRACKING_URI`:",
        f"```python\nimport mlflow\n\nmodel = mlflow.pyfunc.load_model({address!r})\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def _figures(row: ResultRow) -> list[str]:
    figures = [
        f"{row.speedup:.2f}x as fast as the baseline{speedup_bounds(row)}" if row.speedup else "",
        f"{brief(row.latency_ms_p50)} ms a call (p50)" if row.latency_ms_p50 is not None else "",
        f"{metric_title([row])} {score_text(row)}" if row.score is not None else "",
        f"{row.artifact_mb:.2f} MB" if row.artifact_mb is not None else "",
    ]
    return [figure for figure in figures if figure]
