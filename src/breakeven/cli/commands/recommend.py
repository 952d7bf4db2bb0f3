"""Say which variant to deploy within limits, and make it the champion of MLflow's registry."""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from breakeven.config.schema import Study
    from breakeven.results.recommend import Limits
    from breakeven.results.records import ResultRow
    from breakeven.results.study_results import StudyResults
    from breakeven.tracking.model_registry import Candidate

EXAMPLE = "breakeven recommend --max-accuracy-drop 0.5 --max-latency-ms 5 --hardware cpu1"


def arguments(parser: ArgumentParser) -> None:
    """Limits, and where they are to hold."""
    limits = parser.add_argument_group("limits (default: those of the study, `recommend` in params.yaml)")
    limits.add_argument(
        "--max-accuracy-drop", type=float, metavar="POINTS", help="percentage points below the baseline"
    )
    limits.add_argument("--max-latency-ms", type=float, metavar="MS", help="on p50")
    limits.add_argument("--max-size-mb", type=float, metavar="MB", help="of the artifact")
    limits.add_argument(
        "--by-estimate",
        action="store_true",
        help="hold them at the estimates; by default they hold at the ends of the intervals, for sure",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--family", help="default: every family")
    where.add_argument("--hardware", help="default: all that was measured")
    where.add_argument("--batch", type=int, default=1, help="inputs a call; default: 1")
    where.add_argument(
        "--scenario",
        choices=["single_stream", "batch", "server_threads", "server_processes"],
        help="how it is called; default: single_stream, or batch",
    )
    where.add_argument("--callers", type=int, default=1, help="of a server")
    parser.add_argument("--no-register", action="store_true", help="say it only")


def run(chosen: Namespace) -> None:
    """Choose, print and register.

    Raises:
        UserError: nothing keeps the limits, or nothing was measured there.
    """
    from breakeven.cli import recommend_text
    from breakeven.config import lock_check, schema
    from breakeven.results import study_results, summary
    from breakeven.results.recommend import choose, smallest_drop

    study = schema.read_study()
    limits = _limits(chosen, study)
    found = study_results.read_results(study)
    lock_check.require_current(study)
    rows = summary.rows(found.benchmarks, limits)
    none, best = [], []
    for group in _cells(chosen, study, rows):
        benchmark = found.of(group[0])
        choice = choose(group, limits)
        decides = smallest_drop(benchmark.test_images, study.measure.confidence)
        recommend_text.show(group, choice, limits, decides)
        if not choice.best:
            none.append(f"{benchmark.family} on {benchmark.hardware}")
        else:
            best.append((choice.best, {"limits": limits.words, "because": choice.reason}))
    if best and not chosen.no_register:
        _register(study, found, best)
    if none:
        raise UserError(f"There is no variant to recommend for {', '.join(none)}: the reason stands above.")


def _limits(chosen: Namespace, study: "Study") -> "Limits":
    from dataclasses import asdict

    from breakeven.results.recommend import Limits

    given = {name: getattr(chosen, name) for name in asdict(Limits())}
    for name, value in given.items():
        if isinstance(value, float) and not 0 <= value < float("inf"):
            raise UserError(f"--{name.replace('_', '-')} {value:g}: should be a number that is not negative.")
    known = asdict(Limits.of(study))
    return Limits(**{name: known[name] if value is None else value for name, value in given.items()})


def _cells(chosen: Namespace, study: "Study", rows: "Sequence[ResultRow]") -> "list[list[ResultRow]]":
    """The rows of each family and hardware that are asked for."""
    from breakeven.core.plugin import did_you_mean
    from breakeven.results.records import title

    for name, known in (("family", study.families), ("hardware", study.hardware)):
        if (asked := getattr(chosen, name)) and asked not in known:
            raise UserError(f"--{name} {asked}: {did_you_mean(asked, known)}")
    scenario = chosen.scenario or ("single_stream" if chosen.batch == 1 else "batch")
    if chosen.callers > 1 and not chosen.scenario:
        raise UserError(
            f"--callers {chosen.callers}: of which --scenario, server_threads or server_processes?"
        )
    found = []
    for family in [chosen.family] if chosen.family else study.families:
        for hardware in [chosen.hardware] if chosen.hardware else study.hardware:
            mine = [row for row in rows if (row.family, row.hardware) == (family, hardware)]
            group = [
                row
                for row in mine
                if (row.scenario, row.batch_size, row.callers) == (scenario, chosen.batch, chosen.callers)
            ]
            if not group:
                measured = sorted({title(row) for row in mine})
                raise UserError(
                    f"{family}: {scenario} with batch {chosen.batch} and {chosen.callers} callers was not "
                    f"measured; measured were {'; '.join(measured)}. "
                    "Add it: breakeven compose 'measure.batch_sizes=[...]', or measure.server."
                )
            found.append(group)
    return found


def _register(
    study: "Study", found: "StudyResults", chosen: "Sequence[tuple[ResultRow, dict[str, str]]]"
) -> None:
    from breakeven.tracking import client, model_registry, study_runs

    refused: list[str] = []
    server = "http://127.0.0.1:5000 (make ui)" if client.is_local() else client.address()
    with client.required():
        study_runs.sync(study, found)  # their runs have to be there
        key = study_runs.key_of(study, found)
        with client.served() as uri:
            for row, why in chosen:
                try:
                    candidate = _candidate(study, found, row, study_runs.key_of_row(key, row), why)
                    address, before = model_registry.register(uri, candidate)
                except UserError as error:
                    refused.append(f"{row.family}: {error}")
                    continue
                print(f"Registered: mlflow.pyfunc.load_model({address!r}), with MLFLOW_TRACKING_URI={server}")
                if before not in ("", row.variant):
                    print(f"  It takes the place of {before}.")
    if refused:
        raise UserError(f"Not registered: {' '.join(refused)}")


def _candidate(
    study: "Study", found: "StudyResults", row: "ResultRow", key: str, why: dict[str, str]
) -> "Candidate":
    from breakeven.artifacts import dataset, variants
    from breakeven.core import paths
    from breakeven.core.plugin import did_you_mean
    from breakeven.tracking.model_registry import Candidate

    artifacts = variants.read_variants(row.family)
    if row.variant not in artifacts:
        raise UserError(
            f"{row.family}: {row.variant}: {did_you_mean(row.variant, artifacts)} Run `dvc repro`."
        )
    return Candidate(
        row=row,
        key=key,
        versions=found.of(row).machine["versions"],
        folder=artifacts[row.variant][0],
        hardware=study.hardware[row.hardware],
        images=dataset.load_split(paths.prepared(study.family(row.family).data), "test").images[:2],
        why=why,
    )
