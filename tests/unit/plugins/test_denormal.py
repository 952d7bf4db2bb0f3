"""Denormal numbers: every runtime flushes them to zero in the process that measures; the rows tell them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from shipped_options import CANNOT, COMPILED, RUNTIMES
from torch import nn

from breakeven.artifacts import artifact, saved_model
from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.denormal import denormal_note, denormal_share
from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.core import plugin
from breakeven.core.errors import Unsupported
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.models.cnn import cnn
from breakeven.plugins.runtimes.base import ExportInput

pytestmark = pytest.mark.timeout(300)
IMAGES = np.full((4, 1, 8, 8), 255, np.uint8)  # 1.0 after preprocessing
SPEC = {"_target_": "breakeven.plugins.models.cnn.cnn", "width": 32, "depth": 1}
MODEL = ModelManifest(
    *("case", "none", "t", SPEC, ImageInput(1, 8, 8, 4), [0.5], [0.5], 1, 1, 1, 0.0, 0.0, 0.0, "trained", "")
)


def shrinking() -> nn.Module:
    """Gives 1, or more where denormal numbers are kept: 1e-40 between two layers comes back."""
    model = cnn(1, 4, 32, 1).eval()
    with torch.no_grad():
        for stage, scale in ((0, 1e-20), (1, 1e-20), (2, 1.0)):
            convolution, normalization, _ = model[stage]
            convolution.weight.fill_(1 / convolution.weight[0].numel())
            normalization.weight.fill_(scale)
        model[-1].weight.fill_(1e38)
        model[-1].bias.fill_(1.0)
    return model


def test_without_flushing_the_model_gives_more() -> None:
    assert shrinking()(torch.ones(4, 1, 8, 8)).min().item() > 1.05


@pytest.fixture(scope="module")
def pool() -> Iterator[WorkerPool]:
    """The pool that forks all workers, so that each library is imported once."""
    with WorkerPool({"name": "cpu", "threads": 2}, 300) as made:
        yield made


SLOW = {*COMPILED, *(name for name in RUNTIMES if name.startswith(("libtorch", "executorch")))}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in RUNTIMES]
)
def test_every_runtime_flushes_denormal_numbers_where_it_is_measured(
    name: str, pool: WorkerPool, tmp_path: Path
) -> None:
    folder, source = tmp_path / "artifact", tmp_path / "model"
    folder.mkdir()
    source.mkdir()
    model = shrinking()
    saved_model.save(source, model, MODEL)
    runtime = plugin.load("runtimes", RUNTIMES[name], name)
    draft = Artifact(
        *("case", "none", runtime.precision, "", name, RUNTIMES[name], "outside", [0.5], [0.5], 1, 1)
    )
    example = torch.from_numpy(draft.inputs(IMAGES[:2]))
    np.save(tmp_path / "images.npy", IMAGES)
    try:
        runtime.export(ExportInput(model, example, source, "outside"), folder)
        artifact.save(folder, artifact.seal(folder, draft))
        with pool.worker(folder) as worker:
            size = min(4, runtime.batch)
            worker.ask("load", images=str(tmp_path / "images.npy"), batch_size=size, compare=False)
            worker.ask("predict", images=str(tmp_path / "images.npy"), out=str(tmp_path / "out.npy"))
    except Unsupported as error:
        assert any(reason in str(error) for reason in CANNOT)
        return
    assert np.array_equal(np.load(tmp_path / "out.npy"), np.ones((4, 4), np.float32))


def test_the_share_of_denormal_numbers_is_counted_by_bits() -> None:
    numbers = torch.tensor([0.0, -0.0, 1e-40, -1e-40, 1.2e-38, 1.0, torch.inf, torch.nan])
    assert denormal_share(numbers) == 0.25
    assert denormal_share(torch.arange(4)) == denormal_share(torch.zeros(0)) == 0.0
    torch.set_flush_denormal(True)
    try:
        assert denormal_share(numbers) == 0.25
    finally:
        torch.set_flush_denormal(False)


def test_weights_and_activations_are_told_by_share_and_layer() -> None:
    inputs = torch.ones(2, 1, 8, 8)
    torch.manual_seed(0)
    sound = cnn(1, 4, 8, 1).eval()
    assert denormal_note(sound, inputs) == ""
    with torch.no_grad():
        sound[1][0].weight[:4].mul_(1e-38)
    assert "denormal numbers: " in (note := denormal_note(sound, inputs)) and "% of 1.0.weight" in note
    assert denormal_note(shrinking(), inputs) == "denormal numbers: 100.0% of what 1.1 gives"


class Functional(nn.Module):
    """Makes its small numbers without a layer."""

    def __init__(self, by_keyword: bool) -> None:
        super().__init__()
        self.by_keyword = by_keyword
        self.first, self.head = nn.Conv2d(1, 8, 3), nn.Linear(8, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = nn.functional.relu(self.first(images)).mean((2, 3)) * 1e-39
        return self.head(input=found) if self.by_keyword else self.head(found)  # type: ignore[no-any-return]


@pytest.mark.parametrize("by_keyword", [False, True])
def test_activations_that_no_layer_gives_are_told_where_a_layer_takes_them(by_keyword: bool) -> None:
    assert "what head takes" in denormal_note(Functional(by_keyword).eval(), torch.ones(2, 1, 8, 8))


class Pair(nn.Module):
    """Gives its small numbers in a tuple, as recurrent layers do."""

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        return images, [images * 1e-39]


def test_what_a_layer_gives_in_a_tuple_counts() -> None:
    assert "what 0 gives" in denormal_note(nn.Sequential(Pair()), torch.ones(2, 1, 8, 8))


def test_tokens_and_models_in_halves_are_no_reason_to_stop() -> None:
    embedding = nn.Sequential(nn.Embedding(4, 8), nn.Flatten(), nn.Linear(16, 2)).eval()
    assert denormal_note(embedding, torch.zeros(2, 2, dtype=torch.int64)) == ""


def test_a_manifest_keeps_its_notes(tmp_path: Path) -> None:
    draft = Artifact("case", "none", "fp32", "", "eager", {}, "outside", [], [], 1, 1)
    artifact.save(tmp_path, replace(draft, notes=["denormal numbers: 3.0% of a"]))
    assert artifact.read(tmp_path).notes == ["denormal numbers: 3.0% of a"]
