"""The contract for models: what breaks it is told before the training, and PyTorch's freedom is kept."""

import http.server
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from breakeven.artifacts import saved_model
from breakeven.artifacts.dataset import DatasetManifest, Images
from breakeven.artifacts.model_manifest import ImageInput
from breakeven.artifacts.preprocess import predictor
from breakeven.config.training import TrainingConfig
from breakeven.core import plugin
from breakeven.core.cache import CacheKey
from breakeven.core.errors import UserError
from breakeven.engine.worker_pool import WorkerPool
from breakeven.pipeline.compress_model import Application, ModelToCompress
from breakeven.pipeline.fit_model import ModelJob
from breakeven.pipeline.model_contract import MODULES, ModelContract, open_contract
from breakeven.pipeline.training.fit import FitInputs, fit
from breakeven.plugins.tasks.classification import Classification

pytestmark = pytest.mark.timeout(120)
SHAPE = ImageInput(1, 8, 8, 2)
TASK = Classification(name="classification")
MANIFEST = DatasetManifest(
    "d", "d", ["dark", "bright"], {"channels": 1, "height": 8, "width": 8}, [0.5], [0.3], {}, {}, {}
)
RECIPE = TrainingConfig.model_validate(
    {
        **{"epochs": 1, "batch_size": 32, "optimizer": "sgd", "lr": 0.05, "schedule": "onecycle"},
        **{"warmup": 0.2, "weight_decay": 5e-4, "label_smoothing": 0.0, "flip": True, "crop": 1},
        **{"cutout": 0, "clip_norm": 0, "ema": 0, "sides": [1.0], "patience": 0, "precision": "fp32"},
    }
)


def images(count: int = 64) -> Images:
    """Two classes that differ in brightness."""
    draw = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = draw.integers(0, 120, (count, 1, 8, 8)) + 120 * labels[:, None, None, None]
    return Images(pixels.astype(np.uint8), labels.astype(np.int64))


def job(name: str, **arguments: Any) -> ModelJob:
    spec = {"_target_": f"fakes.{name}", **arguments}
    return ModelJob(
        family="mine",
        recipe="none",
        folder=Path(),
        spec=spec,
        build=partial(saved_model.build, spec, SHAPE, "families.mine.model"),
        train=RECIPE,
        task=TASK,
        seed=0,
        key=CacheKey("model", {}),
        made="trained",
    )


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    with WorkerPool({"name": "cpu", "threads": 1}, 60) as opened:
        yield opened


def contract(job: ModelJob, pool: WorkerPool) -> ModelContract:
    made = ModelContract(job, MANIFEST, images().images, pool)
    made.modules = MODULES  # one fork server for all cases
    return made


BROKEN = {
    "DropsItsDimension": r"it gives \(2,\) for one sample, and should give \(1, 2\)",
    "OwnDropout": "random in evaluation mode",
    "RarelyRandom": "random in evaluation mode",
    "RandomByNumpy": "random in evaluation mode",
    "RandomByItself": "random in evaluation mode",
    "StateInNoStateDict": r"in no state dict \(offset\)",
    "PlainNumber": "in no state dict",
    "LostBuffer": r"in no state dict \(seen\)",
    "DrawnInTheConstructor": r"in no state dict \(matrix\), or its constructor draws it at random",
    "LayersInAList": r"in no state dict \(layers\)",
    "ExtraState": "_extra_state in its state dict is no tensor.*register_buffer",
    "CentresTheBatch": "depend on the samples beside it",
    "NormalizesTheBatch": "depend on the samples beside it",
    "RemembersCalls": "remembers earlier calls",
    "KeepsTheLastResult": r"computes less when the same inputs are given again \(\d+ operators instead of ",
    "WritesIntoItsInput": "writes into its input",
    "SetsThreadsInForward": "its forward changes torch.set_num_threads",
    "NoGradient": "its outputs have no gradient",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_one_sentence_before_the_training(name: str, pool: WorkerPool) -> None:
    spec = {"_inputs_": {"in_channels": "channels", "num_classes": "classes"}}
    with pytest.raises(UserError, match=BROKEN[name]) as caught:
        contract(job(f"broken_models.{name}", **spec), pool).check_before_training()
    assert str(caught.value).startswith("mine" if name == "ExtraState" else "families.mine.model: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            {"num_classes": 5, "_inputs_": {"in_channels": "channels"}},
            r"it gives \(2, 5\), and should give \(2, 2\); the dataset decides",
        ),
        (
            {"in_channels": 3, "_inputs_": {"num_classes": "classes"}},
            r"it stops on inputs of \(2, 1, 8, 8\) \(RuntimeError: ",
        ),
    ],
)
def test_a_model_that_does_not_go_with_the_data_is_refused_before_it_is_trained(
    arguments: dict[str, Any], said: str, pool: WorkerPool
) -> None:
    with pytest.raises(UserError, match=f"families.mine.model: {said}"):
        contract(job("broken_models.Net", **arguments), pool).check_before_training()


@pytest.fixture
def address() -> Iterator[str]:
    """A server of this machine, in the place of a hub of weights."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_constructor_that_needs_a_network_is_told(pool: WorkerPool, address: str) -> None:
    fetching = job("broken_models.needs_a_network", address=address)
    with pytest.raises(UserError, match=r"its constructor needs a network \(127.0.0.1\)"):
        contract(fetching, pool).check_before_training()


def test_what_only_this_machine_has_downloaded_is_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with WorkerPool({"name": "cpu", "threads": 1}, 60) as pool:
        cached = job("broken_models.kept_by_torch_hub", address=address)
        with pytest.raises(UserError, match=r"its constructor needs a network \(127.0.0.1\)"):
            contract(cached, pool).check_before_training()
    assert [*tmp_path.rglob("net.txt")], "it has fetched it once, and would find it here ever after"


def test_a_file_that_no_stage_watches_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    sizes = tmp_path / "sizes.json"
    sizes.write_text("[4]")
    with WorkerPool({"name": "cpu", "threads": 1}, 60) as pool:
        contract(job("broken_models.sized_by_a_file", path=str(sizes)), pool).check_before_training()
        told = capsys.readouterr().err
        assert "families.mine.model: its code reads sizes.json. After an edit there, `dvc repro`" in told
        contract(job("broken_models.Net"), pool).check_before_training()
    assert "its code reads" not in capsys.readouterr().err


def test_a_batch_that_is_too_small_to_train_with_is_told(pool: WorkerPool) -> None:
    alone = replace(
        job("broken_models.NormalizedFeatures"), train=RECIPE.model_copy(update={"batch_size": 1})
    )
    with pytest.raises(UserError, match=r"while it is trained .* raise `batch_size` of its training"):
        contract(alone, pool).check_before_training()


def test_pretrained_weights_are_fetched_for_the_training_only(
    pool: WorkerPool, address: str, tmp_path: Path
) -> None:
    fetching = job("broken_models.pretrained", address=address, pretrained=True)
    checked = contract(fetching, pool)
    checked.check_before_training()
    saved = saved_model.save(tmp_path, fetching.build(), replace(checked._card(), model=fetching.spec))
    assert saved.model["pretrained"] is False
    assert fetching.spec["pretrained"] is True


def test_a_recipe_may_copy_a_model_whose_weight_a_hook_computes(tmp_path: Path) -> None:
    made = job("sound_models.ComputedByHook")
    card = contract(made, None)._card()  # type: ignore[arg-type]
    saved_model.save(tmp_path, made.build().eval(), card)
    settings = {"name": "control", "epochs": 1, "lr": 1, "distil": 0, "temperature": 1}
    start = ModelToCompress(tmp_path, made.spec, 0, "compressions.own")
    found, steps = Application(
        start, plugin.load("compression", settings, "own"), lambda count: iter(()), (2,)
    )()
    assert steps == [] and found(torch.zeros(2, 1, 8, 8)).shape == (2, 2)


@pytest.mark.parametrize("recipe", ["none", "prune50"])
def test_no_process_of_the_contract_starts_while_a_fine_tuning_is_timed(
    recipe: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(WorkerPool, "prepare", lambda pool, variant: started.append(variant))
    with open_contract(replace(job("broken_models.Net"), recipe=recipe), MANIFEST, images().images):
        assert len(started) == (recipe == "none"), "before its training, only a new model is checked"


def test_the_saved_model_is_scored_in_another_process(pool: WorkerPool, tmp_path: Path) -> None:
    checked = contract(job("broken_models.StateInNoStateDict"), pool)
    model = checked.job.build()
    model.offset = torch.full((8,), 3.0)  # as if a long training had moved it
    saved_model.save(tmp_path, model.eval(), checked._card())
    with pytest.raises(
        UserError, match=r"other outputs than after its training .* in no state dict \(offset\)"
    ):
        checked.check_saved(tmp_path, predictor(model, [0.5], [0.3]), 1.0)


SOUND = [
    "broken_models.Net",
    "lightning_models.Lit",
    "sound_models.SilentTrain",
    "sound_models.Lazy",
    "sound_models.ByKeyword",
    "sound_models.VariableArguments",
    "sound_models.Hooked",
    "sound_models.TupleWhileTrained",
    "sound_models.Queried",
    "sound_models.LazyWhileTrained",
    "sound_models.ComputedByHook",
]


@pytest.mark.parametrize("name", SOUND)
def test_what_pytorch_accepts_is_trained_saved_and_loaded_the_same(
    name: str, pool: WorkerPool, tmp_path: Path
) -> None:
    inputs = {"_inputs_": {"num_classes": "classes"}} if name.endswith("Lazy") else {}
    sound = job(name, **inputs)
    checked = contract(sound, pool)
    checked.check_before_training()
    data = images()
    recipe = RECIPE.model_copy(update={"ema": 0.5 if name.endswith("ByHook") else 0})  # it copies the model
    trained = fit(FitInputs(sound.build, data, data, [0.5], [0.3], TASK, recipe, 0, tmp_path / "fit"))
    (tmp_path / "model").mkdir()
    saved_model.save(tmp_path / "model", trained.model, checked._card())
    checked.check_saved(tmp_path / "model", predictor(trained.model, [0.5], [0.3]), 1.0)
