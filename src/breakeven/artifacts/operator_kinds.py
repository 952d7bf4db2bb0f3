"""What an operator does, by its name in torch, ONNX Runtime, OpenVINO, oneDNN or XNNPACK."""

CONVOLUTION, LINEAR, NORMALIZATION, ACTIVATION = "convolution", "linear", "normalization", "activation"
POOLING, ARITHMETIC, CONVERSION, OTHER = "pooling", "arithmetic", "copies and conversions", "other"

WHOLE_NAMES = {"to": CONVERSION, "_to_copy": CONVERSION, "mm": LINEAR}
# Kinds and parts of names in lower case, without the namespace before "::". The first that fits counts, so
# that a convolution with a fused activation is a convolution, and a quantized copy is a conversion.
PARTS = (
    (OTHER, ("upsample", "interpolate", "resize")),  # some of these are named bilinear
    (CONVERSION, ("convert",)),  # before "conv"
    (CONVOLUTION, ("conv",)),
    (
        CONVERSION,
        (
            *("reorder", "copy", "transpose", "permute", "cast", "quantizelinear", "dequantize"),
            *("quantize_per", "contiguous", "clone", "to_mkldnn", "to_dense", "memcpy"),
        ),
    ),
    (
        LINEAR,
        (
            *("attention", "einsum", "linear", "gemm", "matmul", "addmm", "bmm"),
            *("fullyconnected", "fully connected", "inner_product"),
        ),
    ),
    (NORMALIZATION, ("norm",)),
    (POOLING, ("pool", "mean")),
    (
        ACTIVATION,
        (
            *("relu", "gelu", "silu", "swish", "sigmoid", "tanh"),
            *("softmax", "clamp", "clip", "elu", "softplus"),
        ),
    ),
    (ARITHMETIC, ("add", "mul", "sub", "div", "eltwise", "where", "sum")),
)


def kind_of(operator: str) -> str:
    """Return the kind of an operator, one of the constants above.

    Args:
        operator: its name as a runtime's profiler gives it, e.g. "aten::native_batch_norm".
    """
    name = operator.partition(" (")[0].lower().rpartition("::")[2]
    if name in WHOLE_NAMES:
        return WHOLE_NAMES[name]
    return next((kind for kind, parts in PARTS if any(part in name for part in parts)), OTHER)
