"""Tasks: each sample has a score of its own, losses can be minimized, and a user's own function counts."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from shipped_options import options

from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.plugins.tasks.base import Task

OWN = """
import numpy as np

def distance(outputs, targets):
    return np.linalg.norm(outputs - targets, axis=1)

def squares(outputs, targets):
    return (outputs - targets).square().mean()

def mean(outputs, targets):
    return np.abs(outputs - targets).mean()

def broken(outputs, targets):
    return outputs.nothing
"""
SHAPES = {
    "classification": (5,),
    "embedding": (5,),
    "regression": (2,),
    "segmentation": (4, 6, 6),
    "custom": (2,),
}


def task(name: str, **settings: Any) -> Task:
    needed = {
        "custom": {"metric": "distance", "better": "lower", "score": "own_score:distance"},
        "embedding": {"dimensions": 5},
    }
    own = needed.get(name, {})
    loaded: Task = plugin.load("tasks", {"name": name, **own, **settings}, "families.mine.task")
    return loaded


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_score.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_score", raising=False)


def perfect(name: str, count: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Outputs without any fault, and their targets."""
    draw = np.random.default_rng(0)
    if name in ("regression", "custom"):
        targets = draw.normal(size=(count, 2)).astype(np.float32)
        return targets.copy(), targets
    classes = SHAPES[name][0]
    targets = draw.integers(0, classes, (count, *SHAPES[name][1:]))
    if name == "embedding":  # none is alone in its class
        targets = np.arange(count) % 3
    return np.moveaxis(np.eye(classes, dtype=np.float32)[targets], -1, 1), targets


@pytest.mark.parametrize("name", plugin.names("tasks"))
def test_every_task_has_an_option_in_conf(name: str) -> None:
    assert options("task")[name]["name"] == name


@pytest.mark.parametrize("name", plugin.names("tasks"))
def test_what_is_without_fault_has_the_best_score_and_any_change_a_worse_one(name: str) -> None:
    own, (outputs, targets) = task(name), perfect(name)
    best = own.scores(outputs, targets)
    assert best.shape == (len(outputs),) and set(best) == {1.0 if own.better == "higher" else 0.0}
    spoilt = outputs.copy()
    spoilt[3] = np.roll(spoilt[3], 1, axis=0) + (0.5 if name in ("regression", "custom") else 0)
    if name == "embedding":
        spoilt[3] = -outputs[3]
    worse = own.scores(spoilt, targets)
    assert own.is_better(best[3], worse[3]) and np.array_equal(np.delete(worse, 3), np.delete(best, 3))
    assert own.objection(targets) == ""
    assert outputs.shape[1:] == own.output_shape((3, 6, 6), SHAPES[name][0])


@pytest.mark.parametrize("name", ["classification", "regression", "segmentation"])
def test_losses_are_least_where_nothing_is_wrong(name: str) -> None:
    own, (outputs, targets) = task(name), perfect(name)
    given, asked = (
        torch.from_numpy(20 * outputs if name != "regression" else outputs),
        torch.from_numpy(targets),
    )
    spoilt = given.roll(1, 0).requires_grad_()
    loss = own.loss(spoilt, asked)
    assert own.loss(given, asked) < loss
    loss.backward()
    assert spoilt.grad is not None and bool(spoilt.grad.abs().sum() > 0)
    assert float(own.imitation_loss(given, given, 2.0)) == pytest.approx(0, abs=1e-6)
    assert own.imitation_loss(spoilt, given, 2.0) > 0


@pytest.mark.parametrize("name", ["classification", "segmentation"])
def test_agreement_is_the_share_of_equal_decisions(name: str) -> None:
    own, (outputs, _) = task(name), perfect(name, 10)
    other = outputs.copy()
    other[0] = np.roll(other[0], 1, axis=0)
    assert own.agreement(outputs, outputs) == 1.0
    assert own.agreement(outputs, other) == pytest.approx(0.9)


def test_embeddings_of_one_class_are_pulled_together() -> None:
    own, (outputs, targets) = task("embedding"), perfect("embedding")
    given, asked = torch.from_numpy(outputs), torch.from_numpy(targets)
    mixed = given.roll(1, 0).requires_grad_()
    loss = own.loss(mixed, asked)
    assert own.loss(given, asked) < loss and bool(loss.isfinite())
    loss.backward()
    assert mixed.grad is not None and bool(mixed.grad.isfinite().all())
    alone = own.loss(given[:3].requires_grad_(), asked[:3])  # no two samples of one class
    assert float(alone.detach()) == 0.0


def test_a_query_is_compared_with_all_others_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    outputs, targets = draw.normal(size=(50, 5)).astype(np.float32), draw.integers(0, 4, 50)
    whole = task("embedding").scores(outputs, targets)
    monkeypatch.setattr("breakeven.plugins.tasks.embedding.QUERIES", 7)
    assert np.array_equal(task("embedding").scores(outputs, targets), whole)
    assert task("embedding").scores(outputs[:1], targets[:1]).tolist() == [0.0]


def test_numbers_are_no_decisions() -> None:
    assert task("regression").agreement(np.ones((2, 1), np.float32), np.ones((2, 1), np.float32)) is None


def test_an_image_s_iou_is_the_mean_over_the_classes_that_it_shows_or_is_given() -> None:
    targets = np.zeros((1, 2, 4), np.int64)
    targets[0, :, 2:] = 1
    outputs = np.zeros((1, 3, 2, 4), np.float32)
    outputs[0, 0], outputs[0, 1, :, 1:] = 0.5, 1.0  # 3 of 4 columns are called 1, and class 2 is nowhere
    assert task("segmentation").scores(outputs, targets) == pytest.approx([(2 / 4 + 4 / 6) / 2])
    targets[0, :, 1] = 255  # the column that is wrong does not count
    assert task("segmentation").scores(outputs, targets) == pytest.approx([1.0])


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_one_number_may_stand_in_a_column_of_its_own(numbers: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    outputs, targets = draw.normal(size=(2, 5, numbers)).astype(np.float32)
    scores = task("regression").scores(outputs, targets)
    assert scores == pytest.approx(np.abs(outputs - targets).mean(axis=1), rel=1e-5)
    if numbers == 1:
        assert np.array_equal(task("regression").scores(outputs, targets[:, 0]), scores)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"score": "own_score:mean"}, "gives () for 7 samples: return one number for each sample"),
        ({"score": "own_score:broken"}, "it failed (AttributeError: "),
        ({"score": "own_score:nothing"}, "cannot be imported"),
        ({"score": "no_module:f"}, "cannot be imported"),
        ({"score": "own_score:np"}, "is of type module, which cannot be called"),
        ({"score": "own_score:distance", "unit": "%"}, "with unit=% return shares, 0 to 1"),
    ],
)
def test_a_score_of_the_user_s_own_that_cannot_be_used_is_told(settings: dict, said: str) -> None:
    outputs, targets = perfect("custom")
    with pytest.raises(UserError, match=r"^[^\n]*$") as refused:
        task("custom", **settings).scores(outputs + 5, targets)
    assert said in str(refused.value)


def test_a_loss_of_the_user_s_own_is_minimized_and_its_lack_is_told() -> None:
    outputs = torch.zeros(3, 2, requires_grad=True)
    assert task("custom", train_loss="own_score:squares").loss(outputs, torch.ones(3, 2)) == 1
    with pytest.raises(UserError, match=r"train_loss=null: give the function"):
        task("custom").loss(outputs, torch.ones(3, 2))


@pytest.mark.parametrize(
    ("name", "targets", "said"),
    [
        ("classification", np.ones(3, np.float32), "no classes, one for each sample"),
        ("regression", np.ones(3, np.int64), "whole numbers, which count as classes"),
        ("segmentation", np.ones(3, np.int64), "no classes, one for each pixel"),
        ("embedding", np.ones(3, np.float32), "no classes, one for each sample"),
    ],
)
def test_targets_of_another_task_are_told(name: str, targets: np.ndarray, said: str) -> None:
    assert said in task(name).objection(targets)


def test_a_function_is_named_with_its_module() -> None:
    with pytest.raises(UserError, match=r"score=own_score\.distance: it should be MODULE:FUNCTION"):
        task("custom", score="own_score.distance")


@pytest.mark.parametrize("metric", ["loss", "accuracy", "speedup", "Two Words"])
def test_a_metric_s_name_that_means_something_else_is_refused(metric: str) -> None:
    with pytest.raises(UserError, match="metric"):
        task("custom", metric=metric)


def test_a_label_that_is_not_scored_may_be_that_of_a_class() -> None:
    targets = np.zeros((1, 2, 4), np.int64)
    targets[0, :, 2:] = 1
    outputs = np.zeros((1, 2, 2, 4), np.float32)
    outputs[0, 1] = 1.0
    assert task("segmentation", ignored=0).scores(outputs, targets) == pytest.approx([1.0])


@pytest.mark.parametrize(("shape", "maps"), [(None, False), ([2], False), ([1, 6, 6], True)])
def test_targets_of_several_dimensions_are_maps(shape: list[int] | None, maps: bool) -> None:
    assert task("custom", shape=shape).maps is maps
