"""Log all results on disk to MLflow; safe to repeat."""

from argparse import ArgumentParser, Namespace

GROUP = "house-keeping"
EXAMPLE = "MLFLOW_TRACKING_URI=http://server:5000 breakeven sync"


def arguments(parser: ArgumentParser) -> None:
    """Add no options."""


def run(chosen: Namespace) -> None:
    """Log all sweeps, and the study that `dvc repro` ran.

    Raises:
        UserError: MLflow does not answer, or the results belong to other settings.
    """
    from breakeven.config import lock_check, schema
    from breakeven.core import paths
    from breakeven.core.format import counted
    from breakeven.core.progress import track
    from breakeven.results import study_results, sweep_results
    from breakeven.serving.capacity import recorded
    from breakeven.tracking import address, sweep_runs
    from breakeven.tracking.client import Tracker
    from breakeven.tracking.study_runs import sync

    sweeps = sweep_results.every()
    with address.required():
        store = Tracker()
        for sweep in track("MLflow", sweeps):
            sweep_runs.write(store, sweep)
            print(f"sweep {sweep.name}: {counted(len(sweep.jobs), 'job')}")
        if sweeps and not paths.BENCHMARKS.exists():
            return
        study = schema.read_study()
        lock_check.require_current(study)
        print(sync(study, study_results.read_results(study)))
        recorded.log_all(study)
