"""The pages of MLflow's UI that the documentation shows, and that the tests open."""

import re
from pathlib import Path

from mlflow import MlflowClient


def pages(address: str, repository: Path) -> dict[str, tuple[str, re.Pattern[str]]]:
    """By name: where the page is, and a text that is there once it has loaded."""
    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    found = client.get_experiment_by_name("breakeven")
    assert found is not None, "nothing was logged yet"
    experiment = found.experiment_id

    def newest(tags: str, count: int) -> list[str]:
        return [run.info.run_id for run in client.search_runs([experiment], tags, max_results=count)]

    (trained,) = newest("tags.kind = 'train'", 1)
    two = newest("tags.kind = 'benchmark' and tags.variant != 'twin'", 2)
    runs = f"{address}/#/experiments/{experiment}/runs"
    listed = ",".join(f'"{run}"' for run in two)
    compared = f'{address}/#/compare-runs?runs=[{listed}]&experiments=["{experiment}"]'
    return {
        "mlflow-runs": (runs, re.compile("^study ")),
        "mlflow-training": (f"{runs}/{trained}/model-metrics", re.compile("val_accuracy")),
        "mlflow-artifacts": (f"{runs}/{trained}/artifacts", re.compile("^model$")),
        "mlflow-compare": (compared, re.compile("Comparing 2 Runs")),
    }
