"""Which operators have no call of their own any more."""

import pytest

from breakeven.artifacts.fusion import describe, fused_calls
from breakeven.artifacts.operators import OperatorTime

EAGER = [
    OperatorTime("aten::conv2d", "fp32", 0.1, 3),
    OperatorTime("aten::mkldnn_convolution", "fp32", 9.0, 3),
    OperatorTime("aten::batch_norm", "fp32", 0.1, 3),
    OperatorTime("aten::_batch_norm_impl_index", "fp32", 0.1, 3),
    OperatorTime("aten::native_batch_norm", "fp32", 2.0, 3),
    OperatorTime("aten::relu_", "fp32", 0.1, 3),
    OperatorTime("aten::clamp_min_", "fp32", 0.5, 3),
    OperatorTime("aten::add_", "fp32", 0.5, 1),
    OperatorTime("aten::addmm", "fp32", 0.5, 1),
]


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        (EAGER, ""),
        ([], ""),  # nothing is known
        (
            [OperatorTime("Conv", "fp32", 4.0, 3), OperatorTime("Gemm", "fp32", 1.0)],
            "3 of 3 batch normalizations, 3 of 3 activations, 1 of 1 additions",
        ),
        (
            [
                OperatorTime("QLinearConv", "int8", 2.0, 3),
                OperatorTime("QLinearAdd", "int8", 1.0),
                OperatorTime("Relu", "", 1.0),
            ],
            "3 of 3 batch normalizations, 2 of 3 activations",
        ),
        (
            [
                OperatorTime("quantized::conv2d_relu", "int8", 2.0, 2),
                OperatorTime("quantized::add_relu", "int8", 1.0),
            ],
            "3 of 3 batch normalizations, 3 of 3 activations",
        ),
        (
            [
                OperatorTime("Convolution (jit_avx512_I8)", "int8", 2.0, 3),
                OperatorTime("Eltwise (jit_f32)", "fp32", 1.0, 5),
            ],
            "3 of 3 batch normalizations, 3 of 3 activations",
        ),
        (
            [
                OperatorTime("Convolution (NHWC, QC8) IGEMM", "int8", 2.0, 3),
                OperatorTime("Clamp (NC)", "", 1.0, 1),
                OperatorTime("Add (ND)", "", 1.0, 1),
            ],
            "3 of 3 batch normalizations, 2 of 3 activations",
        ),
        (
            [
                OperatorTime("mkldnn::_convolution_pointwise", "fp32", 2.0, 3),
                OperatorTime("CompiledFxGraph 1", "", 1.0),
            ],
            "",
        ),
        (
            [
                OperatorTime("convolution (brgconv)", "fp32", 2.0, 3),
                OperatorTime("its own kernels and more", "", 1.0),
            ],
            "",
        ),
    ],
)
def test_calls_that_are_gone(variant: list[OperatorTime], told: str) -> None:
    assert describe(EAGER, variant) == told


@pytest.mark.parametrize(
    "name",
    ["aten::gelu", "aten::silu_", "QuickGelu", "BiasGelu", "TanH (NC)", "ApproxGELU (NC)", "LeakyReLU (NC)"],
)
def test_an_activation_is_known_by_every_engine_s_name(name: str) -> None:
    eager = [OperatorTime("aten::silu", "fp32", 1.0, 2)]
    assert fused_calls(eager, [OperatorTime(name, "fp32", 1.0)])["activations"] == (1, 2)


def test_of_what_the_baseline_has() -> None:
    assert fused_calls([OperatorTime("aten::linear", "fp32", 1.0)], EAGER) == {}
    # In two of three calls, as when one profiled call took another way.
    assert fused_calls(EAGER, [OperatorTime("Relu", "fp32", 1.0, 0.67)])["activations"] == (2, 3)
