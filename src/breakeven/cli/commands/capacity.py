"""Measure what a service makes of a speedup: how fast it answers one caller, and how many requests a second.

It serves the baseline and another variant in turn on one core, and sends requests from another core. Nothing
else may run meanwhile.
"""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from breakeven.core.errors import Failed, UserError

if TYPE_CHECKING:
    from breakeven.config.study import Study

GROUP = "measure"
EXAMPLE = "breakeven capacity cnn --limit-ms 10"


def arguments(parser: ArgumentParser) -> None:
    """Add the family, the variant, and how long to measure."""
    from breakeven.cli.numbers import above_zero, at_least_two, whole

    add = parser.add_argument
    add("family", metavar="FAMILY", help="a family of the study")
    add("--variant", metavar="VARIANT", help="beside the baseline; default: the recommended one")
    add("--hardware", metavar="NAME", help="of the study; default: the first")
    add("--limit-ms", type=above_zero, default=10.0, metavar="MS", help="on the 99th percentile; default: 10")
    add("--seconds", type=above_zero, default=3.0, metavar="S", help="of a block of load; default: 3")
    add("--rounds", type=at_least_two, default=8, metavar="N", help="of one caller; default: 8")
    add("--replicates", type=at_least_two, default=5, metavar="N", help="blocks for each rate; default: 5")
    add("--max-batch", type=whole, default=1, metavar="N", help="samples in a call; default: 1")


def run(chosen: Namespace) -> None:
    """Measure, print what was found, and add it to the report and to MLflow.

    Raises:
        UserError: there is no such variant, or there are fewer than two cores.
    """
    import os

    from breakeven.artifacts import dataset
    from breakeven.cli import served_table
    from breakeven.config import schema
    from breakeven.core import paths, system_info
    from breakeven.report import extra_sections
    from breakeven.results.served import ServedRecord
    from breakeven.serving import usable_cores
    from breakeven.serving.capacity import findings, log, measure
    from breakeven.serving.served_model import served_model
    from breakeven.serving.settings import ServiceSettings

    own_cores = sorted(os.sched_getaffinity(0))
    if len(own_cores) < 2:
        raise UserError("A service and its load need a core each, and this process may use one only.")
    study = schema.read_study()
    hardware = chosen.hardware or next(iter(study.hardware))
    offline_ms = _offline(study, chosen, hardware)
    models = {name: served_model(study, chosen.family, name) for name in offline_ms}
    samples = dataset.load_split(paths.prepared(study.family(chosen.family).data), "test").images
    plan = measure.Plan(
        chosen.seconds, rounds=chosen.rounds, replicates=chosen.replicates, limit_ms=chosen.limit_ms
    )
    settings = ServiceSettings(threads=_threads(study, hardware), max_batch=chosen.max_batch)
    usable_cores.require_fits(1, settings.threads + 1)  # and one for the load
    cores = own_cores[: settings.threads], own_cores[-1]
    try:
        rows = measure.measure(models, offline_ms, samples, settings, plan, cores)
    except Failed as error:
        raise UserError(f"{chosen.family} on {hardware}: {error}.") from None
    machine = str(system_info.collect()["name"])
    record = ServedRecord(chosen.family, hardware, machine, plan.limit_ms, plan.seconds, rows)
    file = record.write()
    section = findings.section(record)
    served_table.show(record, section.sentences)
    extra_sections.save(section)
    log.log(record, section.sentences, file)
    print("The next `dvc repro` adds a section to results/report.html.")


def _offline(study: "Study", chosen: Namespace, hardware: str) -> dict[str, float]:
    """Return the baseline and the chosen variant, each with what a call takes by the study, milliseconds."""
    from breakeven.artifacts.artifact import BASELINE
    from breakeven.cli.selection import require_known
    from breakeven.core import paths
    from breakeven.core.plugin import did_you_mean
    from breakeven.results import records, summary
    from breakeven.results.deployment import variant_to_deploy
    from breakeven.results.limits import Limits

    require_known(Namespace(family=chosen.family, hardware=chosen.hardware), study)
    rows = summary.rows([records.read_benchmark(paths.benchmark(chosen.family, hardware))], Limits.of(study))
    measured = {
        row.variant: row.latency_ms_p50
        for row in rows
        if row.batch_size == row.callers == 1 and row.latency_ms_p50
    }
    variant = chosen.variant or variant_to_deploy(study, chosen.family, hardware, 1)
    if not variant or variant == BASELINE:
        raise UserError(f"{chosen.family} on {hardware}: only the baseline is recommended: name a --variant.")
    if variant not in measured:
        raise UserError(f"{chosen.family} on {hardware}: {variant}: {did_you_mean(variant, measured)}")
    return {BASELINE: measured[BASELINE], variant: measured[variant]}


def _threads(study: "Study", hardware: str) -> int:
    """Return the threads that the study gave each variant.

    Raises:
        UserError: the hardware is no processor, whose models the service would not run as the study did.
    """
    own = study.option("hardware", hardware)
    if own.device != "cpu":
        raise UserError(f"--hardware {hardware}: the service runs models on the processor only.")
    return int(own.threads)
