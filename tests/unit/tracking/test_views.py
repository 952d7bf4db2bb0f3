"""The saved views of MLflow: a new store has them, and one of an earlier version gets them."""

import base64
import json
import zlib
from pathlib import Path

import pytest
from mlflow import MlflowClient

from breakeven.core import paths
from breakeven.core.secrets import redact
from breakeven.tracking import client, hidden_tags, views
from breakeven.tracking.client import EXPERIMENT, Tracker, rounded


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a store of its own."""
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def saved(home: Path) -> dict[str, dict[str, object]]:
    """The views of the store, by name."""
    experiment = MlflowClient(f"sqlite:///{home}/mlflow.db").get_experiment_by_name(EXPERIMENT)
    assert experiment
    values = [json.loads(v) for k, v in experiment.tags.items() if k.startswith(views.TAG_PREFIX)]
    packed = {value["name"]: value["state"].removeprefix("deflate;") for value in values}
    return {name: json.loads(zlib.decompress(base64.b64decode(state))) for name, state in packed.items()}


@pytest.mark.parametrize("old", [False, True])
def test_the_store_has_three_views(home: Path, old: bool) -> None:
    if old:  # a store whose experiment has no views yet
        MlflowClient(f"sqlite:///{home}/mlflow.db").create_experiment(EXPERIMENT)
    tracker = Tracker()
    found = saved(home)
    assert {*found} == {"Variants by model, fastest first", "Trainings", "Studies and sweeps"}
    assert found["Variants by model, fastest first"]["orderByKey"] == "tags.`rank`"
    for state in found.values():  # MLflow understands each condition
        tracker.client.search_runs([tracker.experiment], str(state["searchFilter"]))


def test_each_view_finds_its_kinds_of_runs(home: Path) -> None:
    tracker = Tracker()
    for kind, more in (
        *(("study", {}), ("sweep", {}), ("job", {}), ("train", {"recipe": "none"})),
        *(("compression", {"recipe": "prune50"}), ("benchmark", {"variant": "a", "newest": "yes"})),
        ("benchmark", {"variant": "twin", "newest": "yes"}),
        ("benchmark", {"variant": "a", "newest": "no"}),
    ):
        tracker.create(kind, kind, {"kind": kind, **more})
    found = {
        name: [run.data.tags["kind"] for run in tracker.client.search_runs(
            [tracker.experiment], str(state["searchFilter"]), order_by=["attributes.start_time ASC"]
        )]
        for name, state in saved(home).items()
    }  # fmt: skip
    assert sorted(found["Trainings"]) == ["compression", "train"]
    assert sorted(found["Studies and sweeps"]) == ["study", "sweep"]
    assert found["Variants by model, fastest first"] == ["benchmark"]


def test_the_printed_link_keeps_the_name_of_the_view() -> None:
    link = views.link("http://127.0.0.1:5000", "1")
    assert redact(link) == link and link.endswith("viewStateShareKey=breakeven-variants")


def test_a_run_of_an_earlier_version_is_found_by_its_key(home: Path) -> None:
    tracker = Tracker()
    old = tracker.client.create_run(tracker.experiment, tags={"breakeven.key": "a key"}).info.run_id
    assert tracker.obtain("x", "a key", {}, client.ANY_STATUS) == old
    new = tracker.create("x", "another", {})
    tags = tracker.client.get_run(new).data.tags
    assert hidden_tags.read(tags, hidden_tags.KEY) == "another"
    assert not [name for name in tags if name.startswith("breakeven.")]


def test_figures_are_logged_with_four_digits_and_counts_with_all() -> None:
    assert (rounded(1.23456789), rounded(123456789.0)) == (1.235, 123456789.0)
