"""The kind of an operator, by its name in each library."""

import pytest

from breakeven.artifacts.operator_kinds import (
    ACTIVATION,
    ARITHMETIC,
    CONVERSION,
    CONVOLUTION,
    LINEAR,
    NORMALIZATION,
    OTHER,
    POOLING,
    kind_of,
)

NAMES = {
    CONVOLUTION: [
        *("aten::mkldnn_convolution", "aten::_convolution", "Conv", "QLinearConv", "ConvInteger"),
        *("Convolution (jit_avx512_I8)", "convolution (brgconv:avx512_core)", "FusedConv"),
        *("quantized::conv2d_relu", "Convolution (NHWC, F32) IGEMM"),
    ],
    LINEAR: [
        *("aten::addmm", "aten::linear", "aten::mm", "aten::bmm", "Gemm", "QGemm", "MatMul"),
        *("DynamicQuantizeMatMul", "FullyConnected (brgemm_avx512_FP32)", "inner_product (gemm:jit)"),
        *("quantized::linear", "Fully Connected (NC, F32) GEMM", "aten::einsum", "MultiHeadAttention"),
        "aten::_native_multi_head_attention",
    ],
    NORMALIZATION: ["aten::native_batch_norm", "aten::batch_norm", "LayerNormalization", "aten::layer_norm"],
    ACTIVATION: ["aten::relu_", "aten::clamp_min", "Relu", "aten::gelu", "aten::_softmax", "Clip"],
    POOLING: [
        "aten::max_pool2d",
        "aten::adaptive_avg_pool2d",
        "GlobalAveragePool",
        "ReduceMean",
        "aten::mean",
    ],
    ARITHMETIC: ["aten::add_", "aten::mul", "Add", "Mul", "Eltwise (jit_avx512_FP32)", "Where"],
    CONVERSION: [
        *("aten::copy_", "aten::to", "aten::_to_copy", "ReorderOutput", "Reorder (jit_uni_FP32)", "Cast"),
        *("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "aten::quantize_per_tensor"),
        *("aten::to_mkldnn", "Transpose", "Convert (FP32 to QS8)", "reorder (jit:uni)"),
    ],
    OTHER: [
        "aten::upsample_bilinear2d",
        "aten::topk",
        "aten::empty",
        "aten::flatten",
        "Reshape",
        "forward",
        "CompiledFxGraph abc",
    ],
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in NAMES for name in NAMES[kind]])
def test_an_operator_has_the_kind_that_a_reader_expects(kind: str, name: str) -> None:
    assert kind_of(name) == kind
