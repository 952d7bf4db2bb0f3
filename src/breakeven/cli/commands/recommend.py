"""Say which variant to deploy within limits, and make it the champion of MLflow's registry."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError
from breakeven.core.format import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from breakeven.config.study import Study
    from breakeven.results.limits import Limits
    from breakeven.results.result_row import ResultRow
    from breakeven.results.study_results import StudyResults

GROUP = "decide"
EXAMPLE = "breakeven recommend --max-accuracy-drop 0.5 --max-latency-ms 5 --hardware cpu1"


def arguments(parser: ArgumentParser) -> None:
    """Add the limits, and the options that say where they hold."""
    limits = parser.add_argument_group("limits (default: those of the study, `recommend` in params.yaml)")
    limits.add_argument(
        "--max-accuracy-drop", type=float, metavar="POINTS", help="percentage points below the baseline"
    )
    limits.add_argument(
        "--max-score-loss",
        type=float,
        metavar="LOSS",
        help="by how much a score that is no percentage may be worse, in its own unit",
    )
    limits.add_argument("--max-latency-ms", type=float, metavar="MS", help="on p50")
    limits.add_argument("--max-size-mb", type=float, metavar="MB", help="of the artifact")
    limits.add_argument(
        "--by-estimate",
        action="store_true",
        help="hold them at the estimates; by default they hold at the ends of the intervals, for sure",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--family", help="a key of `families` in params.yaml; default: every family")
    where.add_argument("--hardware", help="a key of `hardware` in params.yaml; default: all")
    where.add_argument("--batch", type=int, default=1, help="inputs a call; default: 1")
    where.add_argument(
        "--scenario",
        choices=["single_stream", "batch", "server_threads", "server_processes"],
        help="how it is called; default: single_stream, or batch",
    )
    where.add_argument("--callers", type=int, default=1, help="of a server")
    parser.add_argument("--no-register", action="store_true", help="say it only")
    parser.add_argument(
        "--brief",
        action="store_true",
        help="a line for each family; register nothing",
    )


def run(chosen: Namespace) -> None:
    """Choose variants, print them and register them.

    Raises:
        UserError: no variant keeps the limits, or the chosen scenario was not measured.
    """
    from breakeven.cli import recommend_text
    from breakeven.config import lock_check, schema
    from breakeven.core import paths
    from breakeven.report import terminal_answer
    from breakeven.report.terminal_table import warnings
    from breakeven.results import study_results, summary
    from breakeven.results.answer import answer_of_cell, answers
    from breakeven.results.recommend import smallest_drop

    study = schema.read_study()
    limits = _limits(chosen, study)
    lock_check.require_current(study)
    results = study_results.read_results(study)
    rows = summary.rows(results.benchmarks, limits)
    if chosen.brief:
        terminal_answer.show(answers(results.benchmarks, rows, limits), paths.REPORT)
        return
    _tell_unused(chosen, study)
    without, best = [], []
    for group in _cells(chosen, study, rows):
        benchmark = results.of(group[0])
        found = answer_of_cell(benchmark, group, limits)
        choice = found.choice
        decides = smallest_drop(benchmark.test_images, study.measure.confidence)
        run_warnings = warnings(benchmark, group[0])
        recommend_text.show(found, limits, decides, run_warnings)
        if not choice.best:
            without.append(f"{benchmark.family} on {benchmark.hardware}")
        else:
            why = {"limits": limits.words, "because": choice.reason, "warnings": "\n".join(run_warnings)}
            best.append((choice.best, why))
    if best and not chosen.no_register:
        _register(study, results, best)
    elif best:
        print("Not registered in MLflow, because of --no-register.")
    if without:
        families = ", ".join(without)
        raise UserError(f"There is no variant to recommend for {families}: the reason stands above.")


def _tell_unused(chosen: Namespace, study: "Study") -> None:
    """Say which limit of the command line holds for no family: it is in the unit of other scores."""
    import sys

    from breakeven.plugins.tasks.base import PERCENT

    units = {
        study.task(name).unit == PERCENT for name in ([chosen.family] if chosen.family else study.families)
    }
    if chosen.max_accuracy_drop is not None and True not in units:
        print(
            "--max-accuracy-drop holds for no family here: their scores are no percentages. "
            "Use --max-score-loss.",
            file=sys.stderr,
        )
    if chosen.max_score_loss is not None and False not in units:
        print(
            "--max-score-loss holds for no family here: their scores are percentages. "
            "Use --max-accuracy-drop.",
            file=sys.stderr,
        )


def _limits(chosen: Namespace, study: "Study") -> "Limits":
    from dataclasses import asdict

    from breakeven.results.limits import Limits

    options = {name: getattr(chosen, name) for name in asdict(Limits())}
    for name, value in options.items():
        if isinstance(value, float) and not 0 <= value < float("inf"):
            raise UserError(f"--{name.replace('_', '-')} {value:g}: should be a number that is not negative.")
    defaults = asdict(Limits.of(study))
    return Limits(**{name: defaults[name] if value is None else value for name, value in options.items()})


def _cells(chosen: Namespace, study: "Study", rows: "Sequence[ResultRow]") -> "list[list[ResultRow]]":
    """Return the rows of each family and hardware that the command line selects."""
    from breakeven.cli.selection import require_known
    from breakeven.results.result_row import title

    require_known(chosen, study)
    scenario = chosen.scenario or ("single_stream" if chosen.batch == 1 else "batch")
    if chosen.callers > 1 and not chosen.scenario:
        raise UserError(
            f"--callers {chosen.callers}: of which --scenario, server_threads or server_processes?"
        )
    groups = []
    for family in [chosen.family] if chosen.family else study.families:
        for hardware in [chosen.hardware] if chosen.hardware else study.hardware:
            rows_there = [row for row in rows if (row.family, row.hardware) == (family, hardware)]
            group = [
                row
                for row in rows_there
                if (row.scenario, row.batch_size, row.callers) == (scenario, chosen.batch, chosen.callers)
            ]
            if not group:
                measured = sorted({title(row) for row in rows_there})
                raise UserError(
                    f"{family} was not measured as {scenario}, {counted(chosen.batch, 'input')} a call, "
                    f"{counted(chosen.callers, 'caller')}. Measured were: {'; '.join(measured)}. "
                    "Add it: breakeven compose 'measure.batch_sizes=[...]', or measure.server."
                )
            groups.append(group)
    return groups


def _register(
    study: "Study", results: "StudyResults", chosen: "Sequence[tuple[ResultRow, dict[str, str]]]"
) -> None:
    from breakeven.tracking import address, model_registry

    refused: list[str] = []
    server = "http://127.0.0.1:5000 (breakeven ui)" if address.is_local() else address.shown_address()
    for choice in model_registry.register_all(study, results, chosen):
        if not (champion := choice.champion):
            refused.append(f"{choice.row.family}: {choice.refusal}")
            continue
        instead = "" if champion.previous in ("", choice.row.variant) else f" instead of {champion.previous}"
        print(
            f"The champion of {champion.model} is now version {champion.version}{instead}: "
            f"mlflow.pyfunc.load_model({champion.address!r}), with MLFLOW_TRACKING_URI={server}"
        )
    if refused:
        raise UserError(f"Not registered: {' '.join(refused)}")
