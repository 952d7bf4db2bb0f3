"""What an operator does, by its name in torch, ONNX Runtime, OpenVINO, oneDNN or XNNPACK."""

CONVOLUTION, LINEAR, NORMALIZATION, ACTIVATION = "convolution", "linear", "normalization", "activation"
POOLING, ARITHMETIC, CONVERSION, OTHER = "pooling", "arithmetic", "copies and conversions", "other"

# Kind -> parts of names in lower case, without the namespace before "::". The first kind that fits counts, so
# that a convolution with a fused activation is a convolution, and a quantized copy is a conversion.
PARTS = {
    CONVOLUTION: ("conv",),
    CONVERSION: (
        *("reorder", "copy", "transpose", "permute", "cast", "quantizelinear", "dequantize", "quantize_per"),
        *("contiguous", "clone", "to_mkldnn", "to_dense", "convert", "memcpy"),
    ),
    LINEAR: (
        *("attention", "einsum", "linear", "gemm", "matmul", "addmm", "bmm"),
        *("fullyconnected", "fully connected", "inner_product"),
    ),
    NORMALIZATION: ("norm",),
    POOLING: ("pool", "reducemean", "reduce_mean", "aten::mean", "mean"),
    ACTIVATION: (
        *("relu", "gelu", "silu", "swish", "sigmoid", "tanh", "softmax", "clamp", "clip", "elu", "softplus"),
    ),
    ARITHMETIC: ("add", "mul", "sub", "div", "eltwise", "where", "sum", "subgraph"),
}
WHOLE_NAMES = {"to": CONVERSION, "_to_copy": CONVERSION, "mm": LINEAR}
NOT_CONVOLUTIONS = ("convert",)
RESIZING = ("upsample", "interpolate", "resize")  # some of these are named bilinear


def kind_of(operator: str) -> str:
    """Return the kind of an operator, one of the constants above.

    Args:
        operator: its name as a runtime's profiler gives it, e.g. "aten::native_batch_norm".
    """
    name = operator.partition(" (")[0].lower()
    short = name.rpartition("::")[2]
    if short in WHOLE_NAMES:
        return WHOLE_NAMES[short]
    if any(part in short for part in RESIZING):
        return OTHER
    if any(part in short for part in NOT_CONVOLUTIONS):
        return CONVERSION
    return next((kind for kind, parts in PARTS.items() if any(part in name for part in parts)), OTHER)
