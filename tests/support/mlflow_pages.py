"""The pages of MLflow's UI that the documentation shows, and that the tests open."""

import re
from pathlib import Path

from mlflow import MlflowClient

from breakeven.tracking import views


def pages(address: str, repository: Path) -> dict[str, tuple[str, re.Pattern[str]]]:
    """By name: where the page is, and a text that is there once it has loaded."""
    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    found = client.get_experiment_by_name("breakeven")
    assert found is not None, "nothing was logged yet"
    experiment = found.experiment_id

    def newest(tags: str, count: int) -> list[str]:
        return [run.info.run_id for run in client.search_runs([experiment], tags, max_results=count)]

    (study,), (trained,) = newest("tags.kind = 'study'", 1), newest("tags.kind = 'train'", 1)
    (chosen,) = newest("tags.kind = 'benchmark' and tags.rank LIKE '%DEPLOY'", 1)
    family = client.get_run(chosen).data.params["family"]
    (baseline,) = newest(f"tags.verdict = 'baseline' and params.family = '{family}'", 1)
    two = [baseline, chosen]
    runs = f"{address}/#/experiments/{experiment}/runs"
    as_models = views.MODELS_FACE
    called = client.get_run(study).info.run_name
    listed = ",".join(f'"{run}"' for run in two)
    compared = f'{address}/#/compare-runs?runs=[{listed}]&experiments=["{experiment}"]&{as_models}'
    return {
        "mlflow-runs": (f"{runs}?{as_models}", re.compile(f"^{re.escape(called)}$")),
        # The shipped views, as `breakeven ui` opens the first one
        "mlflow-variants": (views.link(address, experiment), re.compile(", DEPLOY$")),
        "mlflow-trainings": (views.link(address, experiment, views.TRAININGS), re.compile("· train$")),
        "mlflow-studies": (views.link(address, experiment, views.STUDIES), re.compile("x by ")),
        "mlflow-study": (f"{runs}/{study}?{as_models}", re.compile("^Deploy |^Keep |^No recommendation")),
        "mlflow-run": (f"{runs}/{trained}", re.compile("val/accuracy")),
        "mlflow-training": (f"{runs}/{trained}/model-metrics?{as_models}", re.compile("val/accuracy")),
        "mlflow-artifacts": (f"{runs}/{trained}/artifacts", re.compile("^model$")),
        "mlflow-compare": (compared, re.compile("Comparing 2 Runs")),
    }
