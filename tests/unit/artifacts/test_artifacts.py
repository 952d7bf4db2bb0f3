"""Every runtime and every toolchain in conf/, on a trained model, with preprocessing outside and inside."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet
from artifact_drafts import TOLERANCE, draft
from project import Project
from shipped_options import CANNOT, COMPILED, RUNTIMES, TOOLCHAINS, named

from breakeven.artifacts import artifact, dataset
from breakeven.artifacts.artifact import model_inputs
from breakeven.artifacts.operators import precision_mismatch, shares
from breakeven.core import plugin
from breakeven.core.errors import Unsupported
from breakeven.pipeline import build
from breakeven.pipeline.build import ArtifactBuilder
from breakeven.pipeline.eager_reference import Reference
from breakeven.plugins.quantization.base import CalibrationData
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def family(reproduced: tuple[Project, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the trained tiny family."""
    folder = tmp_path_factory.mktemp("family")
    shutil.copytree(reproduced[0].folder / "models/cnn", folder / "models")
    shutil.copytree(reproduced[0].folder / "data/prepared/digits", folder / "data")
    return folder


@pytest.fixture(scope="module")
def maker(family: Path) -> Iterator[ArtifactBuilder]:
    loaded = [plugin.load("runtimes", settings, name) for name, settings in RUNTIMES.items()]
    modules = [module for runtime in loaded for module in runtime.exporter]
    test = dataset.load_split(family / "data", "test")
    with build.open_builder(test, TOLERANCE, 120, modules=["torch_pruning", *modules]) as made:
        yield made


@pytest.fixture(scope="module")
def reference(request: pytest.FixtureRequest, family: Path, maker: ArtifactBuilder) -> Reference:
    return Reference(family / "models/none", maker.checker.test, request.param)


# Inductor compiles C++ for half a minute a variant; preprocessing inside is the same module around the model,
# whatever the runtime's other settings are. So one of a kind, and the others in the slow tests; ExecuTorch,
# whose lowering takes long, outside only.
FEW = {"torch_compile"}
SLOW_TO_EXPORT = [*COMPILED, *(name for name in RUNTIMES if "executorch" in name)]  # quantized


def is_plain(settings: dict) -> bool:
    """Whether every processor can do it, and it has examples to look at."""
    return settings.get("precision", "fp32") == "fp32" and settings.get("scheme") != "dynamic"


def cases(options: dict[str, dict], compiled: list[str]) -> list[ParameterSet]:
    fast = [name for name in options if name not in compiled]
    fast.sort(key=lambda name: (is_plain(options[name]), name))
    of_a_kind = {(*named(options[name]), options[name].get("method")): name for name in fast}
    few = {
        "outside": {*fast, *FEW},
        "inside": {name for name in of_a_kind.values() if "executorch" not in name},
    }
    return [
        pytest.param(place, name, marks=[] if name in few[place] else [pytest.mark.slow])
        for place in ("outside", "inside")
        for name in options
    ]


@pytest.mark.parametrize(("reference", "name"), cases(RUNTIMES, COMPILED), indirect=["reference"])
def test_every_runtime_gives_eagers_logits(
    maker: ArtifactBuilder, reference: Reference, name: str, tmp_path: Path
) -> None:
    runtime = plugin.load("runtimes", RUNTIMES[name], name)
    made = maker.make(tmp_path, draft(reference, name), runtime.export, reference)
    if made.status == "unsupported":
        assert any(reason in made.reason for reason in CANNOT), made.reason
        return
    assert (made.status, made.reason) == ("ok", "")
    assert made.agreement is not None and made.agreement > 0.95
    assert made.relative_error is not None
    assert made.relative_error < (1e-4 if made.precision == "fp32" else 0.05)
    if made.kernels_reason != "it does not tell what it executes":  # `Runtime.profile` is not overridden
        assert made.precision in shares(made.executed()), made.kernels_reason
    assert not precision_mismatch(made.precision, shares(made.executed()))
    assert made.files and made.megabytes > 0
    assert np.load(tmp_path / made.folder / artifact.LOGITS).shape == reference.logits.shape
    if "of" in RUNTIMES[name]:  # another program, which has to load it likewise
        loads(maker, tmp_path / made.folder)


@pytest.mark.parametrize(
    ("reference", "name"),
    cases(TOOLCHAINS, [name for name, own in TOOLCHAINS.items() if own["runtime"] in SLOW_TO_EXPORT]),
    indirect=["reference"],
)
def test_every_toolchain_agrees_with_eager(
    maker: ArtifactBuilder, reference: Reference, family: Path, name: str, tmp_path: Path
) -> None:
    toolchain = plugin.load("quantization", TOOLCHAINS[name], name)
    runtime = plugin.load("runtimes", RUNTIMES[toolchain.runtime], toolchain.runtime)
    train, val = dataset.load_split(family / "data", "train"), dataset.load_split(family / "data", "val")
    card = reference.card
    inputs = partial(model_inputs, preprocessing=reference.preprocessing, mean=card.mean, std=card.std)
    examples = CalibrationData(inputs(train.images[:128]), inputs(val.images), val.labels)
    write = partial(toolchain.quantize, examples, runtime)
    base = draft(reference, toolchain.runtime, precision=toolchain.precision, quantization=name)
    made = maker.make(tmp_path, base, write, reference)
    assert (made.status, made.reason) == ("ok", "")
    assert made.agreement is not None and made.agreement >= 0.9
    loads(maker, tmp_path / made.folder)
    if toolchain.scheme == "static":
        # Which layers, and for what share of the time, is the processor's affair: some have no fast int8.
        assert any(kernel.precision == "int8" for kernel in made.executed())


def test_a_program_in_cpp_tells_what_pythons_profiler_does(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    toolchain = plugin.load("quantization", TOOLCHAINS["torchscript_static"], "torchscript_static")
    card = reference.card
    images = model_inputs(
        dataset.load_split(family / "data", "train").images[:128], "outside", card.mean, card.std
    )
    told = []
    for name in ("torchscript_frozen", "libtorch_torchscript"):
        runtime = plugin.load("runtimes", RUNTIMES[name], name)
        write = partial(
            toolchain.quantize, CalibrationData(images, images, maker.checker.test.labels[:128]), runtime
        )
        base = draft(reference, name, precision=toolchain.precision, quantization="torchscript_static")
        kernels = maker.make(tmp_path, base, write, reference).executed()
        told.append({(kernel.operator, kernel.precision): round(kernel.calls) for kernel in kernels})
    assert told[0] == told[1]
    assert told[1]["quantized::conv2d_relu", "int8"] and ("aten::quantize_per_tensor", "") in told[1]


def loads(maker: ArtifactBuilder, folder: Path) -> None:
    """As a benchmark does: held to what it was scored with, whatever the batch, and whoever shares it."""
    card = artifact.read(folder)
    most = plugin.load("runtimes", card.settings, card.runtime).batch
    if most == 1:
        with (
            maker.checker.worker_pool("cpu").worker(folder) as worker,
            pytest.raises(Unsupported, match="not for 8: any_batch"),
        ):
            worker.ask("load", images=str(maker.checker.images), batch_size=8, compare=True)
    for size, callers in ((1, 1), (min(8, most), 2)):
        with maker.checker.worker_pool("cpu").worker(folder) as worker:
            worker.ask(
                "load", images=str(maker.checker.images), batch_size=size, compare=True, callers=callers
            )
            block = worker.ask("block", calls=3, settle=1, callers=callers)
            assert len(block["calls_ms"]) == 3 * callers


def test_a_dynamic_scale_is_that_of_one_image_when_it_is_scored(family: Path, tmp_path: Path) -> None:
    test = dataset.load_split(family / "data", "test")
    dim = np.arange(len(test.images)) < len(test.images) / 2  # beside bright ones they would be rounded more
    images = np.where(dim[:, None, None, None], test.images // 8, test.images)
    toolchain = plugin.load("quantization", TOOLCHAINS["onnxruntime_dynamic"], "onnxruntime_dynamic")
    runtime = plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime")
    write = partial(toolchain.quantize, CalibrationData(images, images, test.labels), runtime)
    with build.open_builder(test._replace(images=images), replace(TOLERANCE, agreement=0), 120) as maker:
        reference = Reference(family / "models/none", maker.checker.test, "outside")
        base = draft(reference, "onnxruntime", precision=toolchain.precision)
        where = tmp_path / maker.make(tmp_path, base, write, reference).folder
        np.save(tmp_path / "turned.npy", images[::-1])
        with maker.checker.worker_pool("cpu").worker(where) as worker:
            worker.ask("load", images=str(maker.checker.images), batch_size=1, compare=True)
            worker.ask("predict", images=str(tmp_path / "turned.npy"), out=str(tmp_path / "logits.npy"))
    assert np.array_equal(np.load(tmp_path / "logits.npy")[::-1], np.load(where / artifact.LOGITS))


def test_a_single_image_with_other_logits_is_found(
    maker: ArtifactBuilder, family: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    logits = reference.logits.copy()
    logits[1] += 0.01 * np.abs(logits).max()
    monkeypatch.setattr(maker.checker, "predict", lambda where, draft, reference: (logits, {}, {}))
    runtime = plugin.load("runtimes", RUNTIMES["eager"], "eager")
    made = maker.make(tmp_path, draft(reference, "eager"), runtime.export, reference)
    assert made.status == "wrong" and "its outputs differ from eager's by 0.01 of the largest" in made.reason


def test_a_pruned_model_is_rebuilt_and_exported(maker: ArtifactBuilder, family: Path, tmp_path: Path) -> None:
    reference = Reference(family / "models/prune50", maker.checker.test, "outside")
    for name in ("eager", "onnxruntime"):  # which builds it again, and which converts it
        runtime = plugin.load("runtimes", RUNTIMES[name], name)
        made = maker.make(tmp_path, draft(reference, name), runtime.export, reference)
        assert (made.variant, made.status) == (f"prune50/fp32/{name}", "ok")


def test_openvino_compiles_for_the_batch_and_the_callers(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    runtime = plugin.load("runtimes", RUNTIMES["openvino"], "openvino")
    where = tmp_path / maker.make(tmp_path, draft(reference, "openvino"), runtime.export, reference).folder
    for callers, batch, hint in ((1, 3, "LATENCY"), (2, None, "THROUGHPUT")):
        compiled = runtime._compiled(where, ExecutionContext("cpu", 2, batch, callers), batch)
        assert hint in str(compiled.get_property("PERFORMANCE_HINT"))
        assert compiled.input().partial_shape[0].is_static == bool(batch)
    session = runtime.load(where, ExecutionContext("cpu", 1, batch=3), "outside")
    images = reference.source.example.numpy()[[0, 1, 0, 1]]
    for size in (3, 4):  # what it was told, and another
        assert np.allclose(session.logits(images[:size])[:2], session.logits(images[:3])[:2], atol=1e-4)


def test_an_onnx_file_does_not_tell_where_its_source_lay(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    made = maker.make(
        tmp_path,
        draft(reference, "onnxruntime"),
        plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime").export,
        reference,
    )
    held = (tmp_path / made.folder / "model.onnx").read_bytes()
    assert b"site-packages" not in held and b"stack_trace" not in held


def test_a_wrong_output_fails_that_variant_with_the_figure(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    reference.logits = reference.logits + 1.0
    runtime = plugin.load("runtimes", RUNTIMES["eager"], "eager")
    made = maker.make(tmp_path, draft(reference, "eager"), runtime.export, reference)
    assert made.status == "wrong"
    assert "of the largest, allowed 0.001" in made.reason
    assert [path.name for path in (tmp_path / made.folder).iterdir()] == [artifact.MANIFEST]


def test_outputs_of_zero_tell_nothing_of_an_artifact(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    reference.logits = np.zeros_like(reference.logits)
    runtime = plugin.load("runtimes", RUNTIMES["eager"], "eager")
    made = maker.make(tmp_path, draft(reference, "eager"), runtime.export, reference)
    assert made.status == "failed" and made.reason.startswith("eager's outputs are all zero")


def test_a_toolchain_that_raises_costs_its_own_row(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")

    def broken(source: ExportInput, folder: Path) -> None:
        raise AttributeError("no such operator")

    made = maker.make(tmp_path, draft(reference, "onnxruntime"), broken, reference)
    assert (made.status, made.reason) == ("failed", "AttributeError: no such operator")


def test_no_build_time_holds_the_import_of_a_toolchain(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")
    imported = tmp_path / "imported"  # written in another process

    def write(source: ExportInput, folder: Path) -> None:
        imported.write_text("\n".join(sys.modules))
        (folder / "model.onnx").write_bytes(b"no graph")

    maker.make(tmp_path, draft(reference, "onnxruntime"), write, reference)
    runtime = plugin.load("runtimes", RUNTIMES["onnxruntime"], "onnxruntime")
    assert {*runtime.exporter} <= {*imported.read_text().split()}


def test_an_artifact_that_is_not_readable_fails_alone(
    maker: ArtifactBuilder, family: Path, tmp_path: Path
) -> None:
    reference = Reference(family / "models/none", maker.checker.test, "outside")

    def garbage(source: ExportInput, folder: Path) -> None:
        (folder / "model.onnx").write_bytes(b"no graph")

    bad = maker.make(tmp_path, draft(reference, "onnxruntime"), garbage, reference)
    assert bad.status == "unsupported" and bad.reason.startswith("ONNX Runtime cannot run it: ")
    runtime = plugin.load("runtimes", RUNTIMES["eager"], "eager")
    good = maker.make(tmp_path, draft(reference, "eager"), runtime.export, reference)
    assert good.status == "ok"
