"""The pages of MLflow's UI that the documentation shows, and that the tests open."""

from pathlib import Path

from mlflow import MlflowClient


def pages(address: str, repository: Path) -> dict[str, tuple[str, str]]:
    """By name: where the page is, and the text that is there once it has loaded."""
    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    found = client.get_experiment_by_name("breakeven")
    assert found is not None, "nothing was logged yet"
    experiment = found.experiment_id

    def newest(kind: str, count: int) -> list[str]:
        runs = client.search_runs([experiment], f"tags.kind = '{kind}'", max_results=count)
        return [run.info.run_id for run in runs]

    (trained,), two = newest("train", 1), newest("benchmark", 2)
    runs = f"{address}/#/experiments/{experiment}/runs"
    listed = ",".join(f'"{run}"' for run in two)
    compared = f'{address}/#/compare-runs?runs=[{listed}]&experiments=["{experiment}"]'
    return {
        "mlflow-runs": (runs, "study "),
        "mlflow-training": (f"{runs}/{trained}/model-metrics", "val_accuracy"),
        "mlflow-artifacts": (f"{runs}/{trained}/artifacts", "model"),
        "mlflow-compare": (compared, "Comparing 2 Runs"),
    }
