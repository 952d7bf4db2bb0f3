"""The saved views of MLflow's runs: each shows the columns that answer one question."""

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

TAG_PREFIX = "mlflow.sharedViewState."  # MLflow's UI keeps a saved view as a tag of the experiment
MODELS_FACE = "workflowType=machine_learning"  # the UI's other face is about language models
CREATED_MS = 1_780_000_000_000  # the same in each store, so that only a changed view is written again
NAME = "attributes.`Run Name`"
# Pixels: wide enough for the whole text
WIDTHS = {
    **{NAME: 330, "tags.`rank`": 285, "tags.`answer`": 450},
    **{"metrics.`speedup`": 85, "metrics.`accuracy`": 85, "metrics.`latency_ms_p50`": 125},
    **{"metrics.`speedup_ci_low`": 120, "metrics.`speedup_ci_high`": 125, "tags.`breakeven_calls`": 125},
}


@dataclass(frozen=True)
class View:
    """A saved view of the runs."""

    key: str  # in its link
    name: str
    condition: str
    columns: Sequence[str]
    order: str
    ascending: bool = False

    @property
    def tag(self) -> str:
        """Return the name of the experiment's tag that holds the view."""
        return f"{TAG_PREFIX}{self.key}"

    @property
    def value(self) -> str:
        """Return the view as MLflow's UI saves it."""
        state = {
            "searchFilter": self.condition,
            "orderByKey": self.order,
            "orderByAsc": self.ascending,
            "selectedColumns": self.columns,
            "columnOrder": [NAME, *self.columns],
            "columnWidths": {name: WIDTHS[name] for name in (NAME, *self.columns) if name in WIDTHS},
            "compareRunsMode": "TABLE",
        }
        # Level 0 gives the same bytes with each version of zlib.
        packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 0)).decode()
        times = {"createdAt": CREATED_MS, "updatedAt": CREATED_MS}
        return json.dumps({"name": self.name, **times, "state": f"deflate;{packed}"})


def _metrics(*names: str) -> list[str]:
    return [f"metrics.`{name}`" for name in names]


def _tags(*names: str) -> list[str]:
    return [f"tags.`{name}`" for name in names]


VARIANTS = View(
    "breakeven-variants",
    "Variants by model, fastest first",
    "tags.kind = 'benchmark' and tags.variant != 'twin' and tags.newest = 'yes'",
    [
        *_tags("rank"),
        *_metrics("speedup", "accuracy", "latency_ms_p50", "speedup_ci_low", "speedup_ci_high"),
        *_tags("breakeven_calls", "verdict", "study"),
        *_metrics("artifact_mb"),
    ],
    "tags.`rank`",  # it begins with the model, so that models do not mix
    ascending=True,
)
TRAININGS = View(
    "breakeven-trainings",
    "Trainings",
    "tags.recipe LIKE '%'",  # trained, or compressed: MLflow's language has neither "or" nor "in" for tags
    [
        "attributes.`Duration`",
        *_metrics("test_accuracy", "best_val_accuracy", "val/loss"),
        *_tags("family", "recipe"),
    ],
    "metrics.`test_accuracy`",  # sorted by their date, MLflow would fold them below their studies,
)
STUDIES = View(
    "breakeven-studies",
    "Studies and sweeps",
    "tags.kind LIKE 's%'",  # study, sweep
    [
        "attributes.`Date`",
        "attributes.`Duration`",
        *_tags("answer", "machine"),
        *_metrics("variants", "warnings"),
    ],
    "attributes.start_time",
)
VIEWS = (VARIANTS, TRAININGS, STUDIES)


def link(server: str, experiment: str, view: View = VARIANTS) -> str:
    """Return the address of a view. At any other address, MLflow's UI begins with a list of no traces."""
    return f"{server}/#/experiments/{experiment}/runs?{MODELS_FACE}&viewStateShareKey={view.key}"
