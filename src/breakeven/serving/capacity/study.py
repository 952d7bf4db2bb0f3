"""What a service and several callers of a study's family do: the same for the command and for the stage."""

import os
from dataclasses import replace

from breakeven.artifacts import dataset
from breakeven.artifacts.artifact import BASELINE
from breakeven.artifacts.variants import read_variants
from breakeven.config.study import Study
from breakeven.core import paths, system_info
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.core.plugin import did_you_mean
from breakeven.results import records, summary
from breakeven.results.callers import CallersRecord
from breakeven.results.deployment import variant_to_deploy
from breakeven.results.limits import Limits
from breakeven.results.served import ServedRecord
from breakeven.serving.capacity import callers, measure
from breakeven.serving.capacity.measure import Plan
from breakeven.serving.served_model import runs_in_program, served_model
from breakeven.serving.settings import ServiceSettings
from breakeven.serving.usable_cores import usable_cores

CORES = 2  # that several callers share
BATCH = 8  # samples of a call, where dynamic batching is tried


def served_record(
    study: Study, family: str, hardware: str, variant: str, plan: Plan, max_batch: int = 1
) -> ServedRecord:
    """Serve the baseline and another variant in turn, then the other one with and without batching.

    Args:
        variant: beside the baseline; "" for the recommended one.
        max_batch: samples that both services answer in one call, while they are compared.

    Raises:
        Unsupported: there are too few cores, it is no processor, or only the baseline is recommended.
        UserError: there is no such variant, or a service fails.
    """
    offline_ms = _offline_ms(study, family, hardware, variant)
    own_cores = sorted(os.sched_getaffinity(0))
    settings = ServiceSettings(threads=_threads(study, hardware), max_batch=max_batch)
    if settings.threads >= usable_cores():
        raise Unsupported(
            f"a service of {settings.threads} threads and its load need {settings.threads + 1} cores, and "
            f"this process may use {usable_cores()}"
        )
    variants = read_variants(family)
    for name in offline_ms:
        if runs_in_program(variants[name][1]):
            raise Unsupported(f"{name} runs in a program of its own, which the service cannot call")
    models = {name: served_model(study, family, name) for name in offline_ms}
    samples = dataset.load_split(paths.prepared(study.family(family).data), "test").images
    cores = own_cores[: settings.threads], own_cores[-1]
    try:
        limit_ms, rows = measure.measure(models, offline_ms, samples, settings, plan, cores)
    except Failed as error:
        raise UserError(f"{family} on {hardware}: {error}.") from None
    batching, why_not = None, ""
    try:
        batched = replace(settings, max_batch=BATCH)
        batching = measure.measure_batching([*models.values()][-1], samples, batched, plan, cores)
    except Failed as error:  # a runtime may take one sample only
        why_not = str(error)
    machine = str(system_info.collect()["name"])
    return ServedRecord(
        family, hardware, machine, limit_ms, plan.seconds, rows, batching, batching_reason=why_not
    )


def callers_record(study: Study, family: str, replicates: int, rounds: int) -> CallersRecord:
    """Let several callers call each uncompressed fp32 variant, as threads and as processes.

    Raises:
        Unsupported: there are fewer than two cores.
        UserError: there are no variants yet.
    """
    if (cores := min(usable_cores(), CORES)) < CORES:
        raise Unsupported(f"several callers need {CORES} cores, and this process may use {cores}")
    variants = callers.plain_variants(read_variants(family))
    samples = dataset.load_split(paths.prepared(study.family(family).data), "test").images
    return callers.measure(family, variants, samples, cores, replicates, rounds)


def _offline_ms(study: Study, family: str, hardware: str, variant: str) -> dict[str, float]:
    """Return the baseline and the chosen variant, each with what a call takes by the study, milliseconds."""
    rows = summary.rows([records.read_benchmark(paths.benchmark(family, hardware))], Limits.of(study))
    measured = {
        row.variant: row.latency_ms_p50
        for row in rows
        if row.batch_size == row.callers == 1 and row.latency_ms_p50
    }
    variant = variant or variant_to_deploy(study, family, hardware, 1)
    if not variant or variant == BASELINE:
        raise Unsupported("only the baseline is recommended; `breakeven capacity` serves any --variant")
    if variant not in measured:
        raise UserError(f"{family} on {hardware}: {variant}: {did_you_mean(variant, measured)}")
    return {BASELINE: measured[BASELINE], variant: measured[variant]}


def _threads(study: Study, hardware: str) -> int:
    """Return the threads that the study gave each variant.

    Raises:
        Unsupported: the hardware is no processor: the service would not run models as the study did.
    """
    own = study.option("hardware", hardware)
    if own.device != "cpu":
        raise Unsupported("the service runs models on the processor only")
    return int(own.threads)
