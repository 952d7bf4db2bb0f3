"""Log the records on disk to MLflow; twice is as once."""

from argparse import ArgumentParser, Namespace

from breakeven.errors import UserError

EXAMPLE = "MLFLOW_TRACKING_URI=http://server:5000 breakeven sync"


def arguments(parser: ArgumentParser) -> None:
    """None."""


def run(chosen: Namespace) -> None:
    """Log all sweeps, and the study that `dvc repro` has run."""
    from breakeven import config, locked, paths, records, sweeplog, sweeps, tracking
    from breakeven.progress import each
    from breakeven.sync import sync

    found = sweeps.every()
    try:
        with tracking.answering():
            store = tracking.Store()
            for sweep in each("MLflow", found):
                sweeplog.write(store, sweep)
                print(f"sweep {sweep.name}: {len(sweep.jobs)} jobs")
            if found and not paths.BENCHMARKS.exists():
                return
            study = config.read()
            locked.require_current(study)
            print(sync(study, records.read(study)))
    except tracking.Unreachable as error:
        raise UserError(f"MLflow at {tracking.address()} does not answer ({error}).") from None
