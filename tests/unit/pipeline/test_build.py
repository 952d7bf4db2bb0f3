"""A fault costs one row, whose verdict and reason say what it was; the rows do not depend on each other."""

import errno
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import fakes
import numpy as np
import pytest
import torch
from artifact_drafts import TOLERANCE, draft
from fakes.odd_models import ODD, ODD_INT8
from shipped_options import RUNTIMES, TOOLCHAINS

from breakeven.artifacts import artifact, saved_model
from breakeven.artifacts.artifact import Artifact, model_inputs
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import ImageInput, ModelManifest
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.pipeline import build
from breakeven.pipeline.build import ERROR, ArtifactBuilder
from breakeven.pipeline.calibration import CalibrationFiles, quantize_from
from breakeven.pipeline.eager_reference import Reference
from breakeven.plugins.runtimes.base import ExportInput

pytestmark = [pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]
SHAPE = ImageInput(1, 8, 8, 10)


def images() -> Images:
    draw = np.random.default_rng(0)
    return Images(draw.integers(0, 256, (32, 1, 8, 8), np.uint8), draw.integers(0, 10, 32))


def model(folder: Path, target: str) -> Path:
    """Save a model of `fakes.odd_models` with random weights."""
    folder.mkdir()
    torch.manual_seed(0)
    spec = {"_target_": f"fakes.odd_models.{target}"}
    facts = {"family": "cnn", "recipe": "none", "title": "", "model": spec, "shape": SHAPE}
    facts |= {
        "mean": [0.5],
        "std": [0.3],
        "parameters": 1,
        "macs": 1,
        "activations": 1,
        "key": "",
        "made": "",
    }
    card = ModelManifest(**facts, val_score=0.0, test_score=0.0, train_s=0.0)  # type: ignore[arg-type]
    saved_model.save(folder, saved_model.build(spec, SHAPE).eval(), card)
    return folder


@pytest.fixture(scope="module")
def builder() -> Iterator[ArtifactBuilder]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(fakes.__file__).parent.parent))
        with build.open_builder(images(), TOLERANCE, 60) as builder:
            yield builder


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return model(tmp_path_factory.mktemp("models") / "plain", "Plain")


def made(builder: ArtifactBuilder, folder: Path, name: str, target: Path, write: object = None) -> Artifact:
    """Build the artifact of the model in `folder` for a runtime, below `target`."""
    reference = Reference(folder, builder.checker.test, "outside")
    write = write or plugin.load("runtimes", RUNTIMES[name], name).export
    return builder.make(target, draft(reference, name), write, reference)  # type: ignore[arg-type]


def raising(error: BaseException) -> object:
    def write(source: ExportInput, folder: Path) -> None:
        raise error

    return write


def killing(number: int) -> object:
    def write(source: ExportInput, folder: Path) -> None:
        os.kill(os.getpid(), number)

    return write


FAULTS = [
    (raising(MemoryError()), "failed", "MemoryError"),
    (raising(OSError("could not get source code")), "failed", "OSError: could not get source code"),
    (raising(PermissionError(errno.EACCES, "Permission denied", "/opt/tool")), "failed", "PermissionError: "),
    (raising(SystemExit("no licence")), "failed", "SystemExit: no licence"),
    (raising(UserError("models.x=1: too small.")), "failed", "models.x=1: too small."),
    (raising(AttributeError("no such operator")), "failed", "AttributeError: no such operator"),
    (raising(Unsupported("no int8")), "unsupported", "no int8"),
    (killing(signal.SIGSEGV), "failed", "killed by SIGSEGV"),
    (killing(signal.SIGKILL), "failed", "killed by SIGKILL"),
]


@pytest.mark.parametrize(("write", "verdict", "reason"), FAULTS)
def test_a_fault_in_a_build_costs_its_row(
    builder: ArtifactBuilder, plain: Path, tmp_path: Path, write: object, verdict: str, reason: str
) -> None:
    row = made(builder, plain, "eager", tmp_path, write)
    assert row.status == verdict and row.reason.startswith(reason)
    assert artifact.read(tmp_path / row.folder) == row
    (tmp_path / "next").mkdir()
    assert made(builder, plain, "eager", tmp_path / "next").status == "ok"


def test_the_traceback_of_a_failed_build_lies_beside_its_manifest(
    builder: ArtifactBuilder, plain: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    row = made(builder, plain, "eager", tmp_path, raising(AttributeError("no such operator")))
    assert "AttributeError: no such operator" in (tmp_path / row.folder / ERROR).read_text()
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_full_disk_ends_the_stage(builder: ArtifactBuilder, plain: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        made(builder, plain, "eager", tmp_path, raising(OSError(errno.ENOSPC, "No space left on device")))


def test_a_hang_costs_its_row(plain: Path, tmp_path: Path) -> None:
    def hang(source: ExportInput, folder: Path) -> None:
        time.sleep(600)

    with build.open_builder(images(), TOLERANCE, 60) as builder:
        assert made(builder, plain, "eager", tmp_path).status == "ok"  # while the libraries are imported
        builder.calls.timeout_s = 2
        row = made(builder, plain, "eager", tmp_path / "hang", hang)
    assert (row.status, row.reason) == ("failed", "no answer within 2 s; killed")


def test_a_model_whose_eager_mode_crashes_costs_its_rows(builder: ArtifactBuilder, tmp_path: Path) -> None:
    folder = model(tmp_path / "model", "Plain")
    reference = Reference(folder, builder.checker.test, "outside")
    write = plugin.load("runtimes", RUNTIMES["eager"], "eager").export
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "eager_logits", lambda folder, images: os.kill(os.getpid(), signal.SIGSEGV))
        first = builder.make(tmp_path, draft(reference, "eager"), write, reference)
    second = builder.make(tmp_path / "again", draft(reference, "eager"), write, reference)
    assert first.status == second.status == "failed"
    assert first.reason == second.reason and "SIGSEGV" in first.reason


@pytest.mark.parametrize(
    ("shift", "reason"),
    [
        (lambda logits: logits + 1, "of the largest, allowed 0.001"),
        (lambda logits: logits * np.nan, "its outputs are not finite, eager's are"),
        (lambda logits: logits[:, :1], r"its outputs have the shape (32, 1), eager's (32, 10)"),
    ],
)
def test_an_artifact_with_other_results_is_wrong(
    builder: ArtifactBuilder, plain: Path, tmp_path: Path, shift: object, reason: str
) -> None:
    reference = Reference(plain, builder.checker.test, "outside")
    other = shift(reference.logits)  # type: ignore[operator]
    write = plugin.load("runtimes", RUNTIMES["eager"], "eager").export
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder.checker, "predict", lambda where, draft, reference: (other, {}, {}))
        row = builder.make(tmp_path, draft(reference, "eager"), write, reference)
    assert row.status == "wrong" and reason in row.reason
    assert [path.name for path in (tmp_path / row.folder).iterdir()] == [artifact.MANIFEST]


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_a_model_without_sensible_logits_fails(
    builder: ArtifactBuilder, plain: Path, tmp_path: Path, value: float
) -> None:
    reference = Reference(plain, builder.checker.test, "outside")
    reference.logits = reference.logits * value
    write = plugin.load("runtimes", RUNTIMES["eager"], "eager").export
    row = builder.make(tmp_path, draft(reference, "eager"), write, reference)
    assert row.status == "failed" and row.reason.startswith("eager's outputs are")


@pytest.mark.parametrize(("target", "name", "words"), ODD)
def test_what_a_tool_cannot_do_is_unsupported_and_names_the_place(
    builder: ArtifactBuilder, tmp_path: Path, target: str, name: str, words: str
) -> None:
    row = made(builder, model(tmp_path / "model", target), name, tmp_path)
    assert row.status == "unsupported" and words in row.reason, row.reason


@pytest.mark.parametrize(("target", "name", "words"), ODD_INT8)
def test_what_a_tool_cannot_quantize_is_unsupported_and_names_the_place(
    builder: ArtifactBuilder, tmp_path: Path, target: str, name: str, words: str
) -> None:
    reference = Reference(model(tmp_path / "model", target), builder.checker.test, "outside")
    files = CalibrationFiles(tmp_path, plugin.load("tasks", {"name": "classification"}, "task"))
    files.write(images().images, images())
    inputs = partial(model_inputs, preprocessing="outside", mean=[0.5], std=[0.3])
    toolchain = plugin.load("quantization", TOOLCHAINS[name], name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], toolchain.runtime)
    card = draft(reference, toolchain.runtime, precision="int8-static", quantization=name)
    write = partial(quantize_from, files, inputs, toolchain, runtime)
    row = builder.make(tmp_path / "rows", card, write, reference)
    assert row.status == "unsupported" and words in row.reason, row.reason


def test_no_row_depends_on_the_rows_before_it(builder: ArtifactBuilder, tmp_path: Path) -> None:
    folder = model(tmp_path / "model", "Cached")
    reasons = set()
    for number, order in enumerate((("torchscript_frozen", "eager"), ("eager", "torchscript_frozen"))):
        rows = {name: made(builder, folder, name, tmp_path / f"{number}-{name}") for name in order}
        reasons.add(tuple((rows[name].status, rows[name].reason) for name in sorted(rows)))
    assert len(reasons) == 1 and ("ok", "") in reasons.pop()


def test_weights_that_are_computed_from_others_can_be_copied(
    builder: ArtifactBuilder, tmp_path: Path
) -> None:
    row = made(builder, model(tmp_path / "model", "WeightNorm"), "torchscript_frozen", tmp_path)
    assert (row.status, row.reason) == ("ok", "")
