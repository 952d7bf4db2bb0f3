"""A user's own weights: every form of common scripts is loaded, everything else gets one sentence."""

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from breakeven.artifacts.checkpoint import first_not_finite, load_checkpoint
from breakeven.core.errors import UserError

State = dict[str, Tensor]


def model(width: int = 8) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(36 * width, 10)
    )


def prefixed(prefix: str, state: State) -> State:
    return {f"{prefix}{name}": value for name, value in state.items()}


OWN = model().state_dict()
OTHER = model().state_dict()
FORMS = {
    "plain": OWN,
    "Lightning": {"state_dict": prefixed("model.", OWN), "epoch": 1},
    "a tutorial of torch": {"model_state_dict": OWN, "optimizer_state_dict": {"state": {0: {"step": 1}}}},
    "DDP": prefixed("module.", OWN),
    "compiled": prefixed("_orig_mod.", OWN),
    "Lightning and compile": {"state_dict": prefixed("net._orig_mod.", OWN), "epoch": 1},
    "DDP of what is compiled": prefixed("module._orig_mod.", OWN),
    "compiled DDP": prefixed("_orig_mod.module.", OWN),
    "a part that is compiled": {name.replace(".", "._orig_mod.", 1): value for name, value in OWN.items()},
    "DataParallel of a part": {name.replace(".", ".module.", 1): value for name, value in OWN.items()},
    "pytorch-cifar": {"net": prefixed("module.", OWN), "acc": 93.0, "epoch": 7},
    "older than torch 0.4.1": {k: v for k, v in OWN.items() if not k.endswith("num_batches_tracked")},
    "a prefix of its own": prefixed("backbone.body.", OWN),
    "with an equal average": {"state_dict": OWN, "state_dict_ema": OWN},
    "the average alone": {"state_dict_ema": OWN},
    "with arguments and figures": {
        "model": OWN,
        "args": argparse.Namespace(lr=0.1),
        "best": np.float64(0.9),
        "losses": np.ones(3),
    },
}


def loaded(path: Path) -> State:
    other = model()
    load_checkpoint(path, other)
    return other.state_dict()


def refusal(path: Path, other: nn.Module | None = None) -> str:
    with pytest.raises(UserError) as refused:
        load_checkpoint(path, other or model())
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"checkpoint={path}: ") and line.endswith(".")
    return line


def same(state: State) -> bool:
    return all(torch.equal(value, OWN[name]) for name, value in state.items())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_the_forms_of_common_scripts_are_loaded(form: str, legacy: bool, tmp_path: Path) -> None:
    torch.save(FORMS[form], tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
    assert same(loaded(tmp_path / "w.pt"))


@pytest.mark.parametrize("name", ["w.safetensors", "w.SAFETENSORS", "w.pt", "w"])
@pytest.mark.parametrize("kind", ["safetensors", "torch"])
def test_the_content_of_a_file_says_what_it_is_and_not_its_name(name: str, kind: str, tmp_path: Path) -> None:
    save_file(OWN, tmp_path / name) if kind == "safetensors" else torch.save(OWN, tmp_path / name)
    assert same(loaded(tmp_path / name))


def test_of_several_sets_the_weights_themselves_are_taken_and_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict_ema": OTHER, "state_dict": OWN}, tmp_path / "w.pt")
    assert same(loaded(tmp_path / "w.pt"))
    assert "state_dict is loaded; state_dict_ema would fit, too" in capsys.readouterr().err


def test_several_sets_without_a_usual_name_are_asked_about(tmp_path: Path) -> None:
    torch.save({**prefixed("encoder_q.", OWN), **prefixed("encoder_k.", OTHER)}, tmp_path / "w.pt")
    assert "several sets of weights that fit: encoder_q.*, encoder_k.*" in refusal(tmp_path / "w.pt")


def test_tensors_beside_the_model_are_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"state_dict": {**prefixed("net.", OWN), "loss.weight": torch.ones(10)}}, tmp_path / "w.pt")
    assert same(loaded(tmp_path / "w.pt"))
    assert (
        "1 tensors are not the model's and are left out, the first is loss.weight" in capsys.readouterr().err
    )


def test_names_that_begin_as_a_wrapper_s_are_the_model_s_own(tmp_path: Path) -> None:
    wrapped = nn.ModuleDict({"module": nn.Linear(2, 2)})
    torch.save(wrapped.state_dict(), tmp_path / "w.pt")
    other = nn.ModuleDict({"module": nn.Linear(2, 2)})
    load_checkpoint(tmp_path / "w.pt", other)
    assert torch.equal(other["module"].weight, wrapped["module"].weight)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (model(16).state_dict(), "does not fit the model: size mismatch for 0.weight"),
        (prefixed("module.", model(16).state_dict()), "does not fit the model: size mismatch for 0.weight"),
        (
            {k: v for k, v in OWN.items() if k[0] != "3"},
            "2 of the model's 9 tensors are missing, first 3.weight",
        ),
        ({**OWN, "9.weight": torch.ones(1)}, "1 of its tensors are not the model's, first 9.weight"),
        (
            {f"features.{n}": torch.zeros(1) for n in range(999)},
            "its names begin with features.0, the model's with 0.weight",
        ),
        ([1, 2], "holds no tensors by name, only a list"),
        ({}, "holds no tensors by name, only a dict"),
        ({**OWN, "3.weight": OWN["3.weight"] / 0}, "weights are not finite (3.weight)"),
        (
            {**OWN, "1.running_var": OWN["1.running_var"] * torch.inf},
            "weights are not finite (1.running_var)",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_weights_that_do_not_fit_are_refused_by_the_first_misfit(
    state: object, said: str, tmp_path: Path
) -> None:
    torch.save(state, tmp_path / "w.pt")
    line = refusal(tmp_path / "w.pt")
    assert said in line and len(line) < 500


def test_a_mask_may_be_infinite_and_not_nan() -> None:
    layer = nn.Linear(2, 2)
    layer.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
    layer.register_buffer("order", torch.arange(2))
    assert first_not_finite(layer) is None
    layer.mask[0] = torch.nan
    assert first_not_finite(layer) == "mask"


def torch_file(folder: Path, **more: bool) -> bytes:
    torch.save(OWN, folder / "own.pt", **more)
    return (folder / "own.pt").read_bytes()


def safe_file(folder: Path) -> bytes:
    save_file(OWN, folder / "own.safetensors")
    return (folder / "own.safetensors").read_bytes()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "a page of HTML"),
        (b"\n <html lang='en'>", "a page of HTML"),
        (b"404: Not Found", "it is text, and begins with '404: Not Found'"),
        (b'{"error": "no access"}', "it is text"),
        (b"\x1f\x8b\x08\x00", "gunzip"),
        (b"\x80\x02", "cut off or damaged"),
        (bytes(1000), "cut off or damaged"),
        (np.random.default_rng(0).bytes(1000), "cut off or damaged"),
    ],
)
def test_files_that_are_no_weights_get_a_sentence(
    content: bytes, said: str, name: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    assert said in refusal(tmp_path / name)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_a_file_that_was_cut_off_is_refused(kind: str, share: float, tmp_path: Path) -> None:
    if kind == "safetensors":
        content = safe_file(tmp_path)
    else:
        content = torch_file(tmp_path, _use_new_zipfile_serialization=kind == "zip")
    (tmp_path / "w").write_bytes(content[: int(share * len(content))])
    assert "cut off or damaged" in refusal(tmp_path / "w")


def test_a_changed_byte_among_the_weights_is_refused(tmp_path: Path) -> None:
    content = bytearray(torch_file(tmp_path))
    start = bytes(content).index(OWN["3.weight"].numpy().tobytes()[:64])
    content[start + 100] ^= 1
    (tmp_path / "w.pt").write_bytes(content)
    assert "cut off or damaged" in refusal(tmp_path / "w.pt")


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_other_archives_are_told_by_what_wrote_them(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(model()), tmp_path / "script.pt")
    assert "TorchScript archive" in refusal(tmp_path / "script.pt")
    program = torch.export.export(model().eval(), (torch.zeros(2, 1, 8, 8),))
    torch.export.save(program, tmp_path / "program.pt2")
    assert "torch.export" in refusal(tmp_path / "program.pt2")
    np.savez(tmp_path / "arrays.npz", a=np.ones(3))
    assert "NumPy" in refusal(tmp_path / "arrays.npz")


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.pt")
    assert "cannot be read (Is a directory)" in refusal(tmp_path)


class Evil:
    def __reduce__(self) -> tuple:
        return Path.touch, (Path("ran"),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_with_more_than_tensors_is_not_run(
    legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for content in (model(), {"state_dict": OWN, "more": Evil()}):
        torch.save(content, tmp_path / "w.pt", _use_new_zipfile_serialization=not legacy)
        line = refusal(tmp_path / "w.pt")
        assert "holds more than tensors (" in line and "weights_only=False" in line
    assert not Path("ran").exists()
