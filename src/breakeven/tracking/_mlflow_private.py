"""The parts of MLflow's private API that this package uses. Check this file after an upgrade of MLflow.

Tested with MLflow 3.17. Functions import when they are called, because MLflow takes seconds to import.
"""

import logging
from pathlib import Path
from typing import Any

# Loggers that print a traceback and one line for each retry, beside our one warning
LOGGERS = ("mlflow.store.db.utils", "mlflow.system_metrics", "urllib3.connectionpool")


def silence_loggers() -> None:
    """Silence the messages of MLflow and its libraries about a failing store. No public setting does this."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def copy_to_folder(root: str, file: str, subfolder: str | None) -> None:
    """Store a file where MLflow's server will look for a run's artifacts.

    The public `log_artifact` would need the server, because the run's address is `mlflow-artifacts:`.
    """
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    LocalArtifactRepository(root).log_artifact(file, subfolder)  # type: ignore[no-untyped-call]


def knows_schema(revision: str) -> bool:
    """Return whether the installed MLflow can upgrade a database whose schema has this revision."""
    import mlflow

    versions = Path(mlflow.__file__).parent / "store/db_migrations/versions"
    return any(versions.glob(f"{revision}_*.py"))


def last_logged(run: Any) -> int | None:
    """Return when the newest metric of a run was logged, milliseconds since the epoch; None if none was."""
    return max((metric.timestamp for metric in run.data._metric_objs), default=None)


class SystemMetrics:
    """MLflow's monitors of the machine, sampled by the caller and logged under MLflow's names.

    The public `enable_system_metrics_logging` asks the store before each sample whether the run continues,
    and logs each sample one interval late.
    """

    def __init__(self, run: str, every_s: float, store: str) -> None:
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor: Any = SystemMetricsMonitor(  # type: ignore[no-untyped-call]
            run, every_s, resume_logging=True, tracking_uri=store
        )
        self.every_s: float = self._monitor.sampling_interval

    def log(self) -> None:
        """Take a sample and log it."""
        self._monitor.collect_metrics()
        self._monitor.publish_metrics(self._monitor.aggregate_metrics())
        self._monitor.mlflow_logger.flush()
