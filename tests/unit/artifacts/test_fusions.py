"""Which operators have no call of their own any more."""

import pytest

from breakeven.artifacts.fusion import absorbed, describe
from breakeven.artifacts.operators import Kernel

EAGER = [
    Kernel("aten::conv2d", "fp32", 0.1, 3),
    Kernel("aten::mkldnn_convolution", "fp32", 9.0, 3),
    Kernel("aten::batch_norm", "fp32", 0.1, 3),
    Kernel("aten::_batch_norm_impl_index", "fp32", 0.1, 3),
    Kernel("aten::native_batch_norm", "fp32", 2.0, 3),
    Kernel("aten::relu_", "fp32", 0.1, 3),
    Kernel("aten::clamp_min_", "fp32", 0.5, 3),
    Kernel("aten::add_", "fp32", 0.5, 1),
    Kernel("aten::addmm", "fp32", 0.5, 1),
]


@pytest.mark.parametrize(
    ("variant", "told"),
    [
        (EAGER, ""),
        ([], ""),  # nothing is known
        (
            [Kernel("Conv", "fp32", 4.0, 3), Kernel("Gemm", "fp32", 1.0)],
            "3 of 3 batch normalizations, 3 of 3 activations, 1 of 1 additions",
        ),
        (
            [
                Kernel("QLinearConv", "int8", 2.0, 3),
                Kernel("QLinearAdd", "int8", 1.0),
                Kernel("Relu", "", 1.0),
            ],
            "3 of 3 batch normalizations, 2 of 3 activations",
        ),
        (
            [Kernel("quantized::conv2d_relu", "int8", 2.0, 2), Kernel("quantized::add_relu", "int8", 1.0)],
            "3 of 3 batch normalizations, 3 of 3 activations",
        ),
        (
            [
                Kernel("Convolution (jit_avx512_I8)", "int8", 2.0, 3),
                Kernel("Eltwise (jit_f32)", "fp32", 1.0, 5),
            ],
            "3 of 3 batch normalizations, 3 of 3 activations",
        ),
        (
            [
                Kernel("Convolution (NHWC, QC8) IGEMM", "int8", 2.0, 3),
                Kernel("Clamp (NC)", "", 1.0, 1),
                Kernel("Add (ND)", "", 1.0, 1),
            ],
            "3 of 3 batch normalizations, 2 of 3 activations",
        ),
        (
            [Kernel("mkldnn::_convolution_pointwise", "fp32", 2.0, 3), Kernel("CompiledFxGraph 1", "", 1.0)],
            "",
        ),
        ([Kernel("convolution (brgconv)", "fp32", 2.0, 3), Kernel("its own kernels and more", "", 1.0)], ""),
    ],
)
def test_calls_that_are_gone(variant: list[Kernel], told: str) -> None:
    assert describe(EAGER, variant) == told


@pytest.mark.parametrize(
    "name",
    ["aten::gelu", "aten::silu_", "QuickGelu", "BiasGelu", "TanH (NC)", "ApproxGELU (NC)", "LeakyReLU (NC)"],
)
def test_an_activation_is_known_by_every_engine_s_name(name: str) -> None:
    eager = [Kernel("aten::silu", "fp32", 1.0, 2)]
    assert absorbed(eager, [Kernel(name, "fp32", 1.0)])["activations"] == (1, 2)


def test_of_what_the_baseline_has() -> None:
    assert absorbed([Kernel("aten::linear", "fp32", 1.0)], EAGER) == {}
    # In two of three calls, as when one profiled call took another way.
    assert absorbed(EAGER, [Kernel("Relu", "fp32", 1.0, 0.67)])["activations"] == (2, 3)
