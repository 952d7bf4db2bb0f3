"""What we use of MLflow without a promise that it stays: one place to look after an upgrade.

Tested with MLflow 3.17. Functions import when they are called, because MLflow takes seconds to import.
"""

import logging
from typing import Any

# Loggers that add a traceback, and a line for each try, to what our one warning says
LOGGERS = ("mlflow.store.db.utils", "mlflow.system_metrics", "urllib3.connectionpool")


def silence_loggers() -> None:
    """Silence what MLflow and its libraries log about a store that fails; no public setting does."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def copy_to_folder(root: str, file: str, subfolder: str | None) -> None:
    """Store a file where MLflow's server will look for a run's artifacts.

    The public `log_artifact` would need the server, because the run's address is `mlflow-artifacts:`.
    """
    from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

    LocalArtifactRepository(root).log_artifact(file, subfolder)  # type: ignore[no-untyped-call]


class SystemMetrics:
    """MLflow's monitors of the machine, under MLflow's names, sampled when we say so.

    The public `enable_system_metrics_logging` asks the store before each sample whether the run goes on,
    and logs after an interval what it saw before it.
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
