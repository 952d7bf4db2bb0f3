"""Without the packages of the extras: each option says what to install, or does without."""

import re
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from project import ROOT
from shipped_options import COMPILED, RUNTIMES, TOOLCHAINS

from breakeven.artifacts import saved_model
from breakeven.core import plugin
from breakeven.core.errors import Unsupported
from breakeven.engine.selftest.models import CNN
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
STUDY = ("torch", "pipeline", "tracking", "report", "cluster", "all", "dev")  # what these tests run in
PACKAGES = {
    re.split(r"[<>=]", line)[0].replace("-", "_")
    for name, lines in EXTRAS.items()
    if name not in STUDY
    for line in lines
}
IMAGES = (CNN.images(4) / 255).astype(np.float32)
ONLY_INT8 = "torch_compile"  # this module needs an extra for int8 alone
MACHINE = ("torch.compile refuses", "this processor")  # what has nothing to do with packages
OWN = [name for name in RUNTIMES if name not in COMPILED]


@pytest.fixture
def source(untrained: Path, monkeypatch: pytest.MonkeyPatch) -> ExportInput:
    model, _ = saved_model.load(untrained / "eager")
    for package in PACKAGES:
        monkeypatch.setitem(sys.modules, package, None)
    return ExportInput(model, torch.from_numpy(IMAGES), untrained / "eager", "outside")


def missing(error: Unsupported) -> str:
    """The extra that its sentence says to install."""
    (extra,) = re.findall(r"^not installed: pip install .*\[(\w+)\]'$", str(error))
    return str(extra)


@pytest.mark.parametrize("name", OWN)
def test_a_runtime_says_which_extra_it_needs(name: str, source: ExportInput, tmp_path: Path) -> None:
    runtime = plugin.load("runtimes", RUNTIMES[name], name)
    told = []
    for act in (
        lambda: runtime.export(source, tmp_path),
        lambda: runtime.start(tmp_path, ExecutionContext("cpu", 1)),
    ):
        try:
            act()
        except Unsupported as error:
            told.append(error)
    module = sys.modules[type(runtime).__module__]
    if module.__name__.endswith(ONLY_INT8) or not hasattr(module, "not_installed"):
        assert [str(error) for error in told if not any(word in str(error) for word in MACHINE)] == []
    elif runtime.scored_on == "cpu" or torch.cuda.is_available():
        assert len(told) == 2
        assert all(name.startswith(missing(error)) for error in told)


@pytest.mark.parametrize("name", TOOLCHAINS)
def test_a_toolchain_says_which_extra_it_needs(name: str, source: ExportInput, tmp_path: Path) -> None:
    toolchain = plugin.load("quantization", TOOLCHAINS[name], name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], toolchain.runtime)
    examples = CalibrationData(IMAGES, IMAGES, np.zeros(len(IMAGES), np.int64))
    if toolchain.name == "torch_fx":  # torch's own
        toolchain.quantize(examples, runtime, source, tmp_path)
        return
    with pytest.raises(Unsupported) as caught:
        toolchain.quantize(examples, runtime, source, tmp_path)
    assert missing(caught.value) in EXTRAS


def test_pruning_says_so_too(source: ExportInput) -> None:
    settings = {"name": "prune", "ratio": 0.5, "round_to": 1, "epochs": 1.0, "lr": 1.0}
    prune = plugin.load("compression", {**settings, "distil": 0.0, "temperature": 1.0}, "prune")
    with pytest.raises(Unsupported) as caught:
        prune.apply(source.model, source.example, lambda count: None)
    assert missing(caught.value) == "prune"
