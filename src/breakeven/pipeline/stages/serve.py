"""The stage `serve`: what a service makes of the speedup, and what several callers get through."""

from breakeven.config import schema
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import make_folder
from breakeven.pipeline.stages._main import run
from breakeven.results.callers import CallersRecord
from breakeven.results.served import ServedRecord

SWITCHED_OFF = "serve=false"
REPLICATES, ROUNDS = 4, 5  # of callers


def serve(name: str) -> None:
    """Measure the family `name` behind a service on each hardware, and its variants with several callers."""
    study = schema.read_study(checked=True)
    make_folder(paths.served(name))
    if not study.serve:
        for hardware in study.hardware:  # DVC warns of an empty folder
            off = ServedRecord(name, hardware, "", 0.0, 0.0, [], reason=SWITCHED_OFF)
            off.write(paths.served(name) / f"{hardware}.json")
        print(f"{name}: {SWITCHED_OFF}")
        return
    for hardware in study.hardware:
        served = _served(study, name, hardware)
        served.write(paths.served(name) / f"{hardware}.json")
        print(f"{name} on {hardware}: {served.reason or ' and '.join(row.variant for row in served.rows)}")
    callers = _callers(study, name)
    callers.write(paths.served(name) / paths.CALLERS_FILE)
    print(f"{name}, several callers: {callers.reason or f'{len(callers.rows)} variants'}")


def _served(study: Study, name: str, hardware: str) -> ServedRecord:
    # A study that serves nothing needs none of the service's libraries.
    from breakeven.serving.capacity.measure import Plan
    from breakeven.serving.capacity.study import served_record

    plan = Plan(limit_ms=study.measure.latency_limit_ms)
    try:
        return served_record(study, name, hardware, "", plan)
    except (Unsupported, UserError) as error:
        reason, failed = str(error).rstrip("."), isinstance(error, UserError)
    return ServedRecord(name, hardware, "", 0.0, plan.seconds, [], None, reason, failed)


def _callers(study: Study, name: str) -> CallersRecord:
    from breakeven.serving.capacity.study import callers_record

    try:
        return callers_record(study, name, REPLICATES, ROUNDS)
    except (Unsupported, UserError) as error:
        reason = str(error).rstrip(".")
        return CallersRecord(name, "", 0, [], reason, isinstance(error, UserError))


if __name__ == "__main__":
    run(serve)
