"""Architectures, any importable constructor, and a user's own weights."""

import sys
from pathlib import Path

import pytest
import torch
from project import Project
from safetensors.torch import save_file

from breakeven.artifacts import process_settings, saved_model
from breakeven.artifacts.checkpoint import load_checkpoint
from breakeven.artifacts.model_manifest import WEIGHTS, ImageInput, ModelManifest
from breakeven.artifacts.model_size import count_work
from breakeven.core.errors import UserError
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.models.resnet18 import resnet18

SHAPE = ImageInput(3, 32, 32, 10)
CNN = {"_target_": "breakeven.plugins.models.cnn.cnn", "width": 8}


def parameters(model: torch.nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("width", "low", "high"), [(4, 4_000, 6_000), (16, 60_000, 99_999), (134, 4.8e6, 5.3e6)]
)
def test_cnn_scales_from_thousands_to_millions(width: int, low: float, high: float) -> None:
    assert low <= parameters(cnn(1, 10, width)) <= high


def test_resnet18_with_the_original_stem_is_torchvisions() -> None:
    from torchvision.models import resnet18 as original

    mine, theirs = resnet18(3, 1000, "imagenet").state_dict(), original().state_dict()
    assert {k: v.shape for k, v in mine.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize(("stem", "ratio"), [("cifar", 1.0), ("cifar_pool", 0.25)])
def test_the_pool_makes_resnet18_four_times_cheaper(stem: str, ratio: float) -> None:
    full = count_work(resnet18(3, 10, "cifar"), SHAPE).macs
    assert count_work(resnet18(3, 10, stem), SHAPE).macs / full == pytest.approx(ratio, abs=0.03)


def test_resnet18_width_scales_all_stages() -> None:
    half = resnet18(3, 10, width=32)
    assert parameters(half) / parameters(resnet18(3, 10)) == pytest.approx(0.25, abs=0.01)
    assert half(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize(
    "spec",
    [
        {"_target_": "torchvision.models.mobilenet_v3_small", "_inputs_": {"num_classes": "classes"}},
        {
            "_target_": "timm.create_model",
            "model_name": "resnet10t",
            "_inputs_": {"in_chans": "channels", "num_classes": "classes"},
        },
    ],
)
def test_any_importable_constructor_serves(spec: dict) -> None:
    model = saved_model.build(spec, SHAPE).eval()
    assert model(SHAPE.example(2)).shape == (2, 10)


def refuses(**arguments: object) -> None:
    raise AssertionError


class Odd:
    """A class of something else, which must not even be created."""

    def __init__(self, **arguments: object) -> None:
        raise SystemExit(3)


def gives_text(**arguments: object) -> str:
    return "text"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 0}, "width=0: input should be greater than 0"),
        (
            {"_target_": "breakeven.plugins.models.resnet18.resnet18", "width": 1.0},
            "width=1.0: input should be a valid int",
        ),
        ({"widht": 8}, "widht"),
        ({"_target_": "breakeven.plugins.models.cnn.nope"}, "cannot be imported"),
        ({"_target_": "breakeven.plugins.models.cnn.cn"}, "Did you mean breakeven.plugins.models.cnn.cnn?"),
        (
            {"_target_": "nowhere_to_be_found.cn"},
            "cannot be imported (No module named 'nowhere_to_be_found').",
        ),
        ({"_target_": "builtins.dict", "width": 3}, "not a torch.nn.Module"),
        ({"_target_": "os.system", "command": "exit 3"}, "and is not called"),
        ({"_target_": "shutil.rmtree", "path": "/nowhere"}, "and is not called"),
        ({"_target_": "test_saved_model.Odd", "_inputs_": {}}, "and is not called"),
        ({"_target_": "test_saved_model.gives_text", "_inputs_": {}}, "gives a str, not a torch.nn.Module"),
        ({"_inputs_": {"in_channels": "colours"}}, "'colours' is not one of channels"),
        ({"_target_": "test_saved_model.refuses", "_inputs_": {}}, "families.x.model: AssertionError. "),
    ],
)
def test_a_wrong_model_gets_a_sentence(change: dict, message: str) -> None:
    with pytest.raises(UserError) as raised:
        saved_model.build({**CNN, **change}, SHAPE, "families.x.model")
    assert message in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x = nothing", "own_model.py:1: NameError: name 'nothing' is not defined."),
        ("def f(:", "own_model.py:1: "),
        ("raise SystemExit(0)", "own_model.py:1: SystemExit: 0."),
        ("open('/nowhere')", "own_model.py:1: FileNotFoundError: "),
    ],
)
def test_a_module_that_fails_while_it_is_imported_gets_a_sentence_with_its_line(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_model.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError) as raised:
        saved_model.build({"_target_": "own_model.Net"}, SHAPE, "families.x.model")
    assert "families.x.model._target_=own_model.Net: " in str(raised.value) and said in str(raised.value)


def test_code_that_sets_threads_when_it_is_imported_or_constructed_is_overruled() -> None:
    before = torch.get_num_threads()
    sys.modules.pop("fakes.threaded", None)
    shape = ImageInput(1, 8, 8, 2)
    saved_model.build({"_target_": "fakes.threaded.Threaded"}, shape)
    assert torch.get_num_threads() == before
    assert torch.get_default_dtype() == torch.float32
    assert f"torch.set_num_threads ({before + 3})" in process_settings.changed()
    assert "torch.set_default_dtype (torch.float64)" in process_settings.changed()


def test_a_lazy_model_has_weights_when_it_is_built() -> None:
    spec = {"_target_": "fakes.sound_models.Lazy", "_inputs_": {"num_classes": "classes"}}
    assert parameters(saved_model.build(spec, SHAPE)) > 0


def card(**changes: object) -> ModelManifest:
    base = {
        **{"family": "x", "recipe": "none", "title": "t", "model": CNN, "shape": SHAPE, "mean": [0.5] * 3},
        **{
            "std": [0.2] * 3,
            "parameters": 1,
            "macs": 1,
            "activations": 1,
            "val_score": 0.0,
            "test_score": 0.0,
        },
        **{"train_s": 0.0, "made": "trained", "key": "k"},
    }
    return ModelManifest(**{**base, **changes})


def test_a_saved_model_is_the_same_after_loading(tmp_path: Path) -> None:
    model = saved_model.build(CNN, SHAPE).eval()
    saved = saved_model.save(tmp_path, model, card())
    loaded, read = saved_model.load(tmp_path)
    assert read == saved
    example = torch.rand(2, 3, 32, 32)
    assert torch.equal(model(example), loaded(example))


def test_changed_weights_are_refused_by_name(tmp_path: Path) -> None:
    saved_model.save(tmp_path, saved_model.build(CNN, SHAPE), card())
    path = tmp_path / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"model\.safetensors was changed"):
        saved_model.load(tmp_path)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_module_that_asks_for_its_version_takes_weights_without(tmp_path: Path, ending: str) -> None:
    spec = {"_target_": "torchvision.models.mnasnet0_5", "_inputs_": {"num_classes": "classes"}}
    model, path = saved_model.build(spec, SHAPE), tmp_path / f"weights.{ending}"
    save_file(model.state_dict(), path) if ending == "safetensors" else torch.save(model.state_dict(), path)
    other = saved_model.build(spec, SHAPE)
    load_checkpoint(path, other)
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.slow
def test_a_checkpoint_takes_the_place_of_training_and_is_watched(project: Project) -> None:
    weights = project.folder / "models/cnn/none/model.safetensors"
    (project.folder / "mine.safetensors").write_bytes(weights.read_bytes())
    project.run("breakeven", "compose", "study=tiny", "families.cnn.checkpoint=mine.safetensors")
    done = project.run("dvc", "repro", "train@cnn")
    assert "checkpoint in 0 s" in done.stdout
    weights_again = cnn(1, 10, 8, 1)
    save_file(weights_again.state_dict(), project.folder / "mine.safetensors")
    assert project.stages(project.run("dvc", "repro", "train@cnn").stdout) == {"train@cnn"}
    (project.folder / "mine.safetensors").unlink()
    stopped = project.run("dvc", "repro", "train@cnn", check=False)
    assert "mine.safetensors is not a file" in stopped.stderr and "Traceback" not in stopped.stderr
