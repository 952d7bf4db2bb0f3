"""What artifacts execute: the shares, the words for them, and `breakeven why`."""

import ctypes
import math
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from project import Project

from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.operators import (
    PRECISIONS,
    OperatorTime,
    describe,
    fallbacks,
    merge,
    precision_mismatch,
    shares,
)
from breakeven.cli.commands import why
from breakeven.core.errors import UserError
from breakeven.plugins.runtimes import _executorch_profile, _onednn_profile
from breakeven.plugins.runtimes.aotinductor import facts_of

KERNELS = st.lists(
    st.builds(
        OperatorTime, st.sampled_from("abc"), st.sampled_from([*PRECISIONS, ""]), st.floats(0.001, 1000)
    )
)


@given(KERNELS)
def test_merging_changes_no_share_and_puts_the_longest_first(kernels: list[OperatorTime]) -> None:
    merged = merge(kernels)
    assert len({(k.operator, k.precision) for k in merged}) == len(merged)
    assert [k.ms for k in merged] == sorted((k.ms for k in merged), reverse=True)
    assert shares(merged) == pytest.approx(shares(kernels))
    assert math.isclose(sum(shares(kernels).values()), 1) or not kernels


def test_shares_in_words() -> None:
    spent = shares(
        [OperatorTime("Conv", "int8", 9.2), OperatorTime("Cast", "", 0.79), OperatorTime("Add", "fp32", 0.01)]
    )
    assert describe(spent) == "int8 92%, other 8%"


@pytest.mark.parametrize(
    ("precision", "spent", "broken"),
    [
        ("int8-static", {"int8": 0.6, "fp32": 0.2}, False),
        ("int8-static", {"int8": 0.1, "fp32": 0.2, "other": 0.7}, True),
        ("int8-dynamic", {"fp32": 1.0}, True),
        ("bf16", {"fp32": 0.9, "bf16": 0.1}, True),
        ("fp32", {"bf16": 1.0}, True),
        ("fp32", {"fp32": 0.4, "other": 0.6}, False),
        ("int8-static", {"other": 1.0}, False),  # nothing is known
        ("int8-static", {}, False),
    ],
)
def test_a_variant_that_computes_in_something_else_is_marked(
    precision: str, spent: dict[str, float], broken: bool
) -> None:
    assert bool(precision_mismatch(precision, spent)) is broken


def test_what_falls_back_is_told_from_what_only_converts() -> None:
    kernels = [
        OperatorTime("Conv", "int8", 9.0),
        OperatorTime("Gemm", "fp32", 1.0),
        OperatorTime("Cast", "", 1.0),
    ]
    kernels.append(OperatorTime("item", "fp32", 0.001))
    assert [kernel.operator for kernel in fallbacks("int8-static", kernels)] == ["Gemm"]
    assert fallbacks("fp32", kernels[1:]) == []
    assert fallbacks("int8", []) == []


def test_what_inductor_compiled_is_read_from_its_code() -> None:
    code = """
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_mkldnn__convolution_pointwise(a, b, &c));
    AOTI_TORCH_ERROR_CODE_CHECK(aoti_torch_cpu_mkldnn__convolution_pointwise(c, d, &e));
    cpp_fused_mean_1((const float*)(e.data_ptr()));
    cpp_fused_mean_1((const float*)(f.data_ptr()));
    """
    assert facts_of(code) == {
        "calls of libraries": "2 mkldnn__convolution_pointwise",
        "kernels of its own": "cpp_fused_mean_1",
    }
    assert set(facts_of("").values()) == {"none"}


EXECUTED = "onednn_verbose,v1,primitive,exec,cpu"
PRINTED = f"""\
onednn_verbose,v1,info,cpu,runtime:OpenMP,nthr:1
onednn_verbose,v1,primitive,info,template:operation,engine,primitive,implementation,exec_time
{EXECUTED},reorder,jit:blk,undef,src:f32::blocked:abcd::f0 dst:f32::blocked:Acdb16a::f0,,,16x1x3x3,0.5
{EXECUTED},convolution,brg_conv_fwd:avx512_core,forward_inference,src:bf16:a:blocked:acdb::f0 \
wei:bf16:a:blocked:Acdb16a::f0,attr-post-ops:eltwise_relu,alg:convolution_direct,mb1_ic16oc16_ih28,0.0349121
{EXECUTED},matmul,brg_matmul:avx512,undef,src:u8::blocked:ab::f0 wei:s8::blocked:ab::f0,,,1x64,9.76562e-04
something else,exec,cpu
"""


def test_what_onednn_prints_of_its_calls_is_read() -> None:
    told = [(k.operator, k.precision, k.ms, k.calls) for k in _onednn_profile.parse_lines(PRINTED, 2)]
    assert told == [
        ("reorder (jit:blk)", "", 0.25, 0.5),
        ("convolution (brg_conv_fwd:avx512_core)", "bf16", 0.0349121 / 2, 0.5),
        ("matmul (brg_matmul:avx512)", "int8", 0.000976562 / 2, 0.5),
    ]
    assert _onednn_profile.parse_lines("", 2) == []


def test_what_cpp_prints_is_taken_for_as_long_as_it_was_asked_to(capfd: pytest.CaptureFixture[str]) -> None:
    library = ctypes.CDLL(None)
    library.fflush(None)  # of what another test's library has printed
    capfd.readouterr()
    library.puts(b"before")
    assert _onednn_profile.capture_stdout(lambda: library.puts(b"inside")) == "inside\n"
    with pytest.raises(ZeroDivisionError):
        _onednn_profile.capture_stdout(lambda: 1 / 0)
    library.puts(b"after")
    library.fflush(None)
    assert capfd.readouterr().out == "before\nafter\n"


def event(name: str | None, ms: float, operator: str = "", number: int = 0) -> SimpleNamespace:
    """As ExecuTorch records it, in nanoseconds."""
    return SimpleNamespace(
        name=name,
        delegate_debug_id_str=operator or None,
        chain_index=0,
        instruction_id=number,
        start_time=7,
        end_time=7 + round(1e6 * ms),
    )


def test_what_executorch_records_of_a_run_is_told_operator_by_operator() -> None:
    run = [
        event("OPERATOR_CALL", 0.5),
        event(None, 0.5, "Convert (NC) #1"),
        event(None, 4, "Convolution (NHWC, QC8) IGEMM #12"),
        event(None, 1, "Fully Connected (NC, QS8, QC8W) GEMM #1"),
        event(None, 1, "Max Pooling (NHWC, F32) #1"),
        event(None, 0.5, "Mean (ND) Reduce2 #1"),
        event("DELEGATE_CALL", 8, number=1),
        event("OPERATOR_CALL", 1, number=2),
        event("Method::execute", 10),
    ]
    own = {(0, 0): ("executorch_prim::et_view", "FLOAT"), (0, 2): ("aten::add", "FLOAT")}
    kernels = _executorch_profile.parse_events(run, own, 2)
    assert sum(kernel.ms for kernel in kernels) == pytest.approx(5)
    assert {(k.operator, k.precision): k.ms for k in kernels} == {
        ("executorch_prim::et_view", ""): 0.25,
        ("Convert (NC)", ""): 0.25,
        ("Convolution (NHWC, QC8) IGEMM", "int8"): 2,
        ("Fully Connected (NC, QS8, QC8W) GEMM", "int8"): 0.5,
        ("Max Pooling (NHWC, F32)", "fp32"): 0.5,
        ("Mean (ND) Reduce2", ""): 0.25,
        ("aten::add", "fp32"): 0.5,
        (_executorch_profile.XNNPACK_REST, ""): 0.5,
        (_executorch_profile.EXECUTORCH_REST, ""): 0.25,
    }


def test_why_shows_a_variant_beside_the_baseline(reproduced: tuple[Project, str]) -> None:
    printed = reproduced[0].run("breakeven", "why", "none/int8-static/onnxruntime").stdout
    assert "none/fp32/eager" in printed and "aten::" in printed
    assert "QLinearConv" in printed and "int8" in printed


def test_why_prints_what_a_pass_changes(reproduced: tuple[Project, str]) -> None:
    printed = reproduced[0].run("breakeven", "why", "none/fp32/onnxruntime", "--pass", "exported").stdout
    removed = [line for line in printed.splitlines() if line.startswith("-")]
    assert printed.startswith("--- raw\n+++ exported") and any(
        "BatchNormalization" in line for line in removed
    )


def test_why_goes_on_where_one_family_lacks_the_variant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    variant = "none/fp32/onnxruntime"
    facts = {"recipe": "none", "precision": "fp32", "quantization": "", "settings": {}, "parameters": 1}
    facts |= {"preprocessing": "outside", "mean": [], "std": [], "macs": 1}
    kernels = [vars(OperatorTime("Conv", "fp32", 1.0, 2))]

    def read(family: str) -> dict[str, tuple[Path, Artifact]]:
        none = {"status": "unsupported", "reason": "it branches"} if family == "first" else {}
        found = [
            Artifact(
                family, runtime="eager", kernels=[vars(OperatorTime("aten::relu", "fp32", 1.0, 2))], **facts
            ),
            Artifact(family, runtime="onnxruntime", kernels=kernels, **facts, **none),
        ]
        return {card.variant: (Path(), card) for card in found}

    study = SimpleNamespace(families=["first", "second"], hardware=["cpu1"], family=lambda name: None)
    monkeypatch.setattr("breakeven.config.schema.read_study", lambda: study)
    monkeypatch.setattr("breakeven.artifacts.variants.read_variants", read)
    monkeypatch.setattr("breakeven.config.lock_check.require_current", lambda study: None)
    chosen = {"names": [variant], "fusion": False, "hardware": None, "passes": False, "rung": None}
    why.run(Namespace(family=None, **chosen))
    printed = capsys.readouterr().out
    assert f"first: {variant} is unsupported: it branches." in printed
    assert "second: a call of one input" in printed and "first: a call of one input" not in printed
    assert f"{variant}: without a call of their own: 2 of 2 activations" in printed
    with pytest.raises(UserError, match=r"first: .* is unsupported: it branches"):
        why.run(Namespace(family="first", **chosen))


@pytest.mark.slow
def test_publish_writes_a_page_from_the_records(project: Project) -> None:
    project.run("breakeven", "publish", "docs.md")
    page = (project.folder / "docs.md").read_text()
    assert "breakeven compose study=tiny" in page
    for words in ("none/fp32/eager", "What a given loss of accuracy buys", "| fp32 | ", "prune50"):
        assert words in page, words
    table = (project.folder / "results/summary.csv").read_text()
    assert (project.folder / "docs.csv").read_text() == table
    # Another way of measuring, of training: what lies here is of neither, and no command says that it is.
    for setting, command in (
        ("measure.half_width=0.5", ("publish", "docs.md", "--allow-dirty")),
        ("families.cnn.train.lr=0.07", ("sync",)),
        ("export.calibration_images=16", ("table",)),
    ):
        project.run("breakeven", "compose", "study=tiny", setting)
        done = project.run("breakeven", *command, check=False)
        place = setting.partition("=")[0]
        assert done.returncode == 1 and f"made with {place}=" in done.stderr
        assert f"says {setting}:" in done.stderr
    done = project.run("breakeven", "publish", "nowhere/docs.md", check=False)
    assert done.returncode == 1 and "a folder that exists" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["none/int8/onnxruntime"], "did you mean 'none/int8-static/onnxruntime'?"),
        (["none/fp32/eager", "--family", "cmm"], "--family cmm: unknown. Allowed: cnn"),
        (["none/fp32/onnxruntime", "--pass", "al"], "--pass al: unknown; did you mean 'all'?"),
        (["none/int8-static/onnxruntime", "--passes"], "passes can be told apart for none/fp32 in"),
        (["none/fp32/eager", "--passes"], "passes can be told apart for none/fp32 in onnxruntime,"),
    ],
)
def test_why_names_what_there_is(reproduced: tuple[Project, str], command: list[str], sentence: str) -> None:
    done = reproduced[0].run("breakeven", "why", *command, check=False)
    assert done.returncode == 1 and sentence in done.stderr and "Traceback" not in done.stderr
