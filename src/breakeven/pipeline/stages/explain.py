"""The stage `explain`: why the variant to deploy takes another time than eager, and by which passes."""

from dataclasses import replace

from breakeven.artifacts.artifact import BASELINE
from breakeven.config import schema
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import Failed, Unsupported, UserError
from breakeven.diagnosis import family_ladder, in_process
from breakeven.diagnosis import ladder as ladders
from breakeven.pipeline.profiled_variant import profiled_variant
from breakeven.pipeline.stages._main import run
from breakeven.results import time_profile
from breakeven.results.deployment import variant_to_deploy
from breakeven.results.explain_record import ExplainRecord
from breakeven.results.ladder_record import LadderRecord
from breakeven.results.time_profile import TimeProfile

LADDER_S = 60.0  # to measure a ladder for, at most


def explain(name: str, hardware: str) -> None:
    """Profile what is to be deployed of the family `name` on `hardware`, beside the baseline."""
    study = schema.read_study(checked=True)
    before = time_profile.read(paths.profile(name, hardware) / paths.PROFILE_FILE)
    if before.profile is None:
        found = ExplainRecord(name, hardware, before.inputs, [], before.reason)
    elif (chosen := variant_to_deploy(study, name, hardware, before.inputs)) in ("", BASELINE):
        reason = "the baseline is what to deploy" if chosen else "nothing is recommended"
        found = ExplainRecord(name, hardware, before.inputs, [], reason)
    else:
        found = _explained(study, name, hardware, chosen, before.profile, before.inputs)
    found.write(paths.explained(name, hardware))
    print(f"{name} on {hardware}: {found.reason or ' and '.join(each.name for each in found.profiles)}")


def _explained(
    study: Study, name: str, hardware: str, variant: str, baseline: TimeProfile, inputs: int
) -> ExplainRecord:
    measured = profiled_variant(study, name, hardware, variant, inputs)
    try:
        own = in_process.profile(measured, in_process.seconds_for(study.measure.seconds))
    except (Unsupported, Failed) as error:
        reason = f"{variant}: {str(error).rstrip('.')}"
        return ExplainRecord(name, hardware, inputs, [], reason, isinstance(error, Failed))
    record = ExplainRecord(name, hardware, inputs, [baseline, own])
    if not study.ladder:
        return record
    ladder, failed = _ladder(study, name, hardware, variant, inputs)
    return replace(record, ladder=ladder, failed=failed)


def _ladder(study: Study, name: str, hardware: str, variant: str, inputs: int) -> tuple[LadderRecord, bool]:
    """Return the ladder of the variant's runtime, and whether something broke."""
    runtime = study.runtimes[variant.rpartition("/")[2]]["name"]
    if runtime not in ladders.names():
        return LadderRecord(name, runtime, reason=family_ladder.only()), False
    data, threads = study.family(name).data, study.option("hardware", hardware).threads
    seconds = min(LADDER_S, 2 * study.measure.seconds)
    try:
        return family_ladder.climb_family(name, data, runtime, seconds, inputs, threads), False
    except (Unsupported, Failed, UserError) as error:
        broke = not isinstance(error, Unsupported)
        return LadderRecord(name, runtime, reason=str(error).rstrip(".")), broke


if __name__ == "__main__":
    run(explain)
