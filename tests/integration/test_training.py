"""Training: repeatable, interruptible, resumable, and never silently wrong."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from fakes.sound_models import ByKeyword
from mlflow import MlflowClient
from project import Project
from torch import nn

from breakeven.artifacts.dataset import Images
from breakeven.artifacts.inference import safe_batch_size
from breakeven.artifacts.preprocess import predictor
from breakeven.config.training import TrainingConfig
from breakeven.core.errors import UserError
from breakeven.pipeline.sanity import score_warning, swapped_classes
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.fit import FitInputs, fit
from breakeven.pipeline.training.module import Diverged
from breakeven.pipeline.training.precision import strides_over_one_pixel, use_bf16
from breakeven.pipeline.training.result import TrainingResult
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.models.resnet18 import resnet18
from breakeven.plugins.tasks.classification import Classification

pytestmark = pytest.mark.timeout(300)
TASK = Classification(name="classification")


def recipe(**changes: object) -> TrainingConfig:
    """A short one."""
    base = {
        **{"epochs": 2, "batch_size": 32, "optimizer": "sgd", "lr": 0.05, "schedule": "onecycle"},
        **{"warmup": 0.2, "weight_decay": 5e-4, "label_smoothing": 0.0, "flip": True, "crop": 1},
        **{"cutout": 0, "clip_norm": 0, "ema": 0, "sides": [1.0], "patience": 0, "precision": "fp32"},
    }
    return TrainingConfig.model_validate({**base, **changes})


def images(count: int = 192) -> Images:
    """Two classes that differ in brightness."""
    draw = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = draw.integers(0, 120, (count, 1, 8, 8)) + 120 * labels[:, None, None, None]
    return Images(pixels.astype(np.uint8), labels.astype(np.int64))


def tiny() -> nn.Module:
    return cnn(1, 2, 4, 1)


def train(
    folder: Path,
    recipe: TrainingConfig,
    seed: int = 0,
    build: Callable[[], nn.Module] = tiny,
    val: Images | None = None,
    **more: object,
) -> TrainingResult:
    data = images()
    return fit(FitInputs(build, data, val or data, [0.5], [0.3], TASK, recipe, seed, folder, **more))


def weights(fitted: TrainingResult) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in fitted.model.parameters()])


@pytest.mark.parametrize(
    "changes", [{}, {"ema": 0.9}, {"optimizer": "adamw", "schedule": "cosine", "cutout": 3}]
)
def test_the_same_seed_gives_the_same_weights(tmp_path: Path, changes: dict) -> None:
    first, second = (weights(train(tmp_path / str(i), recipe(**changes))) for i in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, weights(train(tmp_path / "other", recipe(**changes), seed=1)))


def test_it_learns(tmp_path: Path) -> None:
    fitted = train(tmp_path, recipe(epochs=4))
    assert fitted.history[-1]["val_accuracy"] > 0.95


def test_a_student_follows_its_teacher_against_its_labels(tmp_path: Path) -> None:
    data = images()
    inverted = Images(data.images, 1 - data.labels)
    right = train(tmp_path / "teacher", recipe(epochs=4)).model
    alone, taught = (
        fit(FitInputs(tiny, inverted, data, [0.5], [0.3], TASK, recipe(epochs=4), 1, folder, **more))
        for folder, more in (
            (tmp_path / "alone", {}),
            (tmp_path / "taught", {"teacher": Teacher(right, 1.0, 2.0)}),
        )
    )
    assert alone.history[-1]["val_accuracy"] < 0.2
    assert taught.history[-1]["val_accuracy"] > 0.8
    assert not any("teacher" in name for name in taught.model.state_dict())


def test_a_teacher_that_counts_for_nothing_changes_nothing(tmp_path: Path) -> None:
    other = resnet18(in_channels=1, num_classes=2, stem="cifar", width=8)
    with_one = train(tmp_path / "a", recipe(), teacher=Teacher(other, 0.0, 2.0))
    assert torch.equal(weights(with_one), weights(train(tmp_path / "b", recipe())))


def test_what_the_teacher_says_itself_costs_nothing() -> None:
    model = cnn(1, 2, 4, 1).eval()
    inputs = torch.randn(8, 1, 8, 8)
    loss = Teacher(model, 1.0, 4.0).loss(torch.tensor(5.0), model(inputs), inputs, TASK)
    assert loss.item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("ema", "dropout"), [(0, 0.0), (0.9, 0.0), (0, 0.5)])
def test_a_resumed_training_ends_with_the_weights_of_an_uninterrupted_one(
    tmp_path: Path, ema: float, dropout: float
) -> None:
    settings = recipe(epochs=4, ema=ema)
    build = partial(nn.Sequential, nn.Dropout(dropout))

    def made() -> nn.Module:
        return build(tiny())

    whole = train(tmp_path / "whole", settings, build=made)

    def stop(row: object) -> None:
        if row["epoch"] == 1:  # type: ignore[index]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "parts", settings, build=made, on_epoch=stop)
    resumed = train(tmp_path / "parts", settings, build=made)
    assert len(resumed.history) == 4
    assert torch.equal(weights(whole), weights(resumed))


def test_a_training_that_lost_patience_has_none_after_a_resume(tmp_path: Path) -> None:
    data = images()
    worse = Images(data.images, 1 - data.labels)
    impatient = recipe(epochs=9, lr=0.005, patience=2)
    whole, again = (train(tmp_path, impatient, val=worse) for _ in range(2))
    assert len(whole.history) == len(again.history) < 9
    assert torch.equal(weights(whole), weights(again))


def test_a_training_goes_on_from_its_last_epoch_where_an_earlier_one_was_better(tmp_path: Path) -> None:
    data = images()
    worse = Images(data.images, 1 - data.labels)  # the more it learns
    slow = recipe(epochs=6, lr=0.005)
    epochs: list[float] = []

    def stop(row: Mapping[str, float]) -> None:
        epochs.append(row["epoch"])
        if epochs == [0, 1, 2, 3]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, slow, val=worse, on_epoch=stop)
    resumed = train(tmp_path, slow, val=worse, on_epoch=stop)
    assert epochs == [0, 1, 2, 3, 3, 4, 5]
    seen = [row["val_accuracy"] for row in resumed.history]
    assert max(seen[1:]) < seen[0]  # so that it was the case in question


def test_of_equally_good_epochs_the_last_is_kept(tmp_path: Path) -> None:
    one = Images(images().images[:1], images().labels[:1])  # right, or wrong, in all epochs alike
    for lr in (0.05, 1e-9):
        fitted = train(tmp_path / f"{lr}", recipe(epochs=3, lr=lr), val=one)
        best = max(row["val_accuracy"] for row in fitted.history)
        last = max(int(row["epoch"]) for row in fitted.history if row["val_accuracy"] == best)
        assert torch.load(tmp_path / f"{lr}/best.ckpt", weights_only=True)["epoch"] == last


class Indexed(nn.Module):
    """Reads its pixels in an order that a buffer holds; has a counter, a switch, a mask and a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("order", torch.arange(64))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("active", torch.tensor([True, False]))
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
        self.register_buffer("frequencies", 1 / torch.arange(1.0, 9.0))
        self.head = nn.Linear(64, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.count += 1
        found: torch.Tensor = self.head(images.flatten(1)[:, self.order])
        return found


def test_a_moving_average_leaves_tables_counters_and_masks_alone(tmp_path: Path) -> None:
    kept = Indexed().state_dict()
    for ema in (0.9, 0.9995):
        settings = recipe(ema=ema, epochs=3)
        state = train(tmp_path / str(ema), settings, build=Indexed).model.state_dict()
        for name in ("order", "active", "mask", "frequencies"):
            assert torch.equal(state[name], kept[name]), name
        steps = len(images().labels) // settings.batch_size
        assert state["count"] in [epoch * steps for epoch in (1, 2, 3)]  # at the end of the best epoch
        last = torch.load(tmp_path / str(ema) / "last.ckpt", weights_only=True)
        assert not torch.equal(
            last["state_dict"]["model.head.weight"], last["current_model_state"]["model.head.weight"]
        )


class Viewed(nn.Module):
    """As tutorials flatten, which channels-last cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3), nn.Linear(4 * 36, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.last(self.first(images).view(len(images), -1))
        return found


def test_a_model_that_flattens_by_a_view_is_trained_and_scored(tmp_path: Path) -> None:
    fitted = train(tmp_path, recipe(), build=Viewed, teacher=Teacher(Viewed(), 0.5, 4.0))
    assert fitted.history[-1]["val_accuracy"] > 0.9
    assert predictor(fitted.model, [0.5], [0.3])(images().images).shape == (192, 2)


def test_large_images_are_predicted_few_at_once() -> None:
    sides = {28: 250, 224: 111, 5000: 1}
    for side, count in sides.items():
        assert safe_batch_size(np.broadcast_to(np.uint8(0), (9, 3, side, side))) == count
    assert safe_batch_size(np.zeros((9, 128), np.int64)) == 250


def test_a_loss_that_is_not_a_number_stops_with_the_step(tmp_path: Path) -> None:
    with pytest.raises(Diverged, match=r"at step \d+ .*lower the learning rate \(lr=1e\+20\)"):
        train(tmp_path, recipe(lr=1e20, epochs=3))


def warning(score: float, outputs: np.ndarray, labels: np.ndarray, **facts: Any) -> str:
    """The warning about a model that scored so on validation."""
    known = {"family": "mine", "recipe": "none", "task": TASK, "train": None, "made": "checkpoint"}
    job = SimpleNamespace(**{**known, **facts})
    own_test = facts.get("own_test", True)
    manifest = SimpleNamespace(classes=CLASSES, own_test=own_test)
    card = SimpleNamespace(val_score=score, metric="accuracy")
    val = Images(np.zeros((len(labels), 1, 8, 8), np.uint8), labels)
    return score_warning(job, card, outputs, val, manifest)  # type: ignore[arg-type]


@pytest.mark.parametrize(("score", "said"), [(0.5, True), (0.4, True), (0.51, False)], ids=str)
def test_a_training_that_taught_nothing_is_told(score: float, said: bool) -> None:
    labels, outputs = np.array([0, 0, 1, 2]), np.eye(4, dtype=np.float32)
    trained = warning(score, outputs, labels, made="trained", train=SimpleNamespace(lr=0.1))
    assert ("lower learning rate than 0.1 may do" in trained) is said
    assert ("perhaps the checkpoint does not go with the data" in warning(score, outputs, labels)) is said
    seen = warning(score, outputs, labels, own_test=False)
    assert ("may have been trained on it" in seen) is not said


CLASSES = ["bird", "cat", "dog", "fish"]


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ([0, 1, 2, 3], ""),
        ([0, 2, 1, 3], "calls cat, 20 are dog, and so on for 1 other class."),
        ([1, 2, 3, 0], "calls bird, 20 are fish, and so on for 3 other classes."),
    ],
    ids=["in order", "two are swapped", "all are shifted"],
)
def test_a_checkpoint_whose_classes_are_in_another_order_is_told(order: list[int], said: str) -> None:
    labels = np.repeat(np.arange(4), 20)
    predicted = np.array(order)[labels]
    told = swapped_classes(predicted, labels, CLASSES)
    assert said in told and bool(told) is bool(said)
    outputs = np.eye(4, dtype=np.float32)[predicted]
    assert ("numbers its classes in another order" in warning(0.6, outputs, labels)) is bool(said)


def test_a_model_that_knows_little_or_sees_one_class_everywhere_swaps_none() -> None:
    drawn = np.random.default_rng(0)
    labels = drawn.integers(0, 4, 400)
    assert swapped_classes(drawn.integers(0, 4, 400), labels, CLASSES) == ""
    assert swapped_classes(np.zeros(400, np.int64), labels, CLASSES) == ""
    weak = np.where(drawn.random(400) < 0.4, labels, drawn.integers(0, 4, 400))
    assert swapped_classes(weak, labels, CLASSES) == ""
    few = np.array([0, 0, 1, 1])  # too few images to tell
    assert swapped_classes(1 - few, few, CLASSES) == ""


def test_early_stopping_ends_before_the_last_epoch(tmp_path: Path) -> None:
    assert len(train(tmp_path, recipe(epochs=30, patience=2)).history) < 30


def test_a_log_gets_a_line_an_epoch_with_the_time_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(row: object) -> None:
        if row["epoch"] == 2:  # type: ignore[index]
            raise KeyboardInterrupt

    settings = recipe(epochs=4, sides=[0.5, 1.0])
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, settings, on_epoch=stop)
    train(tmp_path, settings, title="cnn/none")
    lines = capsys.readouterr().err.splitlines()
    # What was trained before the interruption is not trained again.
    assert [line.partition(": loss ")[0] for line in lines] == [
        *("training: epoch 1/4", "training: epoch 2/4", "cnn/none: epoch 3/4", "cnn/none: epoch 4/4")
    ]
    assert [line.endswith(" left") for line in lines] == [True, True, True, False]


@pytest.mark.parametrize(
    ("stem", "side", "expected"),
    [("cifar_pool", 8, True), ("cifar", 8, False), ("cifar_pool", 32, False), ("imagenet", 32, False)],
)
def test_a_strided_convolution_over_one_pixel_is_found(stem: str, side: int, expected: bool) -> None:
    model = resnet18(1, 10, stem=stem, width=8)
    assert strides_over_one_pixel(model, (1, side, side)) is expected


def test_a_layer_that_is_called_by_keyword_strides_over_its_image() -> None:
    assert strides_over_one_pixel(ByKeyword(), (1, 8, 8)) is False


@pytest.mark.skipif(torch.cuda.is_available(), reason="it is the processor's gradients that are wrong")
def test_bf16_is_left_where_its_gradients_are_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    model = resnet18(1, 10, width=8)
    assert use_bf16(recipe(precision="auto"), model, (1, 32, 32))
    assert not use_bf16(recipe(precision="auto"), model, (1, 8, 8))
    assert not use_bf16(recipe(precision="auto", sides=[0.25, 1.0]), model, (1, 32, 32))
    with pytest.raises(UserError, match="strided convolution over a single pixel"):
        use_bf16(recipe(precision="bf16"), model, (1, 8, 8))


def test_progressive_sides_and_bf16_run(tmp_path: Path) -> None:
    fitted = train(tmp_path, recipe(sides=[0.5, 1.0], precision="bf16", clip_norm=1.0, label_smoothing=0.1))
    assert len(fitted.history) == 2


def start_long_training(project: Project) -> subprocess.Popen:
    """Start the train stage with many epochs, and wait for its first checkpoint."""
    project.run("breakeven", "compose", "study=tiny", "families.cnn.train.epochs=30")
    process = subprocess.Popen(
        ["python", "-m", "breakeven.pipeline", "train", "cnn"],
        cwd=project.folder,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(600):
        if list((project.folder / ".breakeven/training").glob("*/last.ckpt")):
            return process
        assert process.poll() is None
        time.sleep(0.1)
    raise AssertionError("no checkpoint within a minute")


def last_run(project: Project) -> tuple[str, str]:
    """Id and status of the newest training run."""
    client = MlflowClient(f"sqlite:///{project.folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("breakeven")
    run = client.search_runs([experiment.experiment_id], "tags.kind = 'train'", max_results=1)[0]
    return run.info.run_id, run.info.status


@pytest.mark.slow
def test_kill_9_then_again_resumes_in_the_same_run(project: Project) -> None:
    before = (project.folder / "models/cnn/none/model.safetensors").read_bytes()
    process = start_long_training(project)
    process.kill()
    process.wait()
    identifier, status = last_run(project)
    assert status == "RUNNING"  # nobody could end it
    assert (project.folder / "models/cnn/none/model.safetensors").read_bytes() == before
    assert not list((project.folder / "models/cnn").glob(".*"))
    done = project.run("python", "-m", "breakeven.pipeline", "train", "cnn")
    assert "resuming from" in done.stderr
    card = json.loads((project.folder / "models/cnn/none/model.json").read_text())
    assert len(card["history"]) == 30
    assert last_run(project) == (identifier, "FINISHED")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_a_signal_ends_with_its_exit_code_and_marks_the_run(
    project: Project, number: signal.Signals, code: int
) -> None:
    process = start_long_training(project)
    os.kill(process.pid, number)
    assert process.wait(60) in (code, 128 + number)
    assert last_run(project)[1] == "KILLED"


def test_a_diverged_training_is_marked_failed(project: Project) -> None:
    project.run("breakeven", "compose", "study=tiny", "families.cnn.train.lr=1e20")
    done = project.run("python", "-m", "breakeven.pipeline", "train", "cnn", check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr and "at step" in done.stderr
    assert last_run(project)[1] == "FAILED"
