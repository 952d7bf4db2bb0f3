"""Which of the baseline's operators have no call of their own in a variant: they are fused, or folded."""

from collections.abc import Iterable

from breakeven.kernels import Kernel

TITLE = "without a call of their own"
# What engines fuse with the convolution or product before it -> the names of its operators, without what
# stands before "::", in torch, ONNX Runtime, OpenVINO, XNNPACK and oneDNN. Of operators that call each other
# just one counts.
KINDS = {
    "batch normalizations": {"native_batch_norm", "batch_norm2d", "BatchNormalization", "BatchNormInference"},
    "activations": {
        *(
            "relu",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "silu",
            "gelu",
            "elu",
            "leaky_relu",
            "sigmoid",
            "tanh",
        ),
        *("Relu", "Clip", "HardSwish", "HardSigmoid", "Gelu", "Elu", "LeakyRelu", "Sigmoid", "Tanh"),
        *("QLinearSigmoid", "QLinearLeakyRelu", "HSwish", "HSigmoid", "Swish", "Clamp", "eltwise"),
    },
    "additions": {"add", "add_relu", "Add", "QLinearAdd", "Eltwise", "binary"},
}


def absorbed(baseline: Iterable[Kernel], variant: Iterable[Kernel]) -> dict[str, tuple[int, int]]:
    """Kind -> how many of the baseline's calls have none in the variant, and how many those are."""
    before, after = _calls(baseline), _calls(variant)
    return {kind: (max(calls - after[kind], 0), calls) for kind, calls in before.items() if calls}


def describe(baseline: Iterable[Kernel], variant: Iterable[Kernel]) -> str:
    """In a few words: "20 of 20 batch normalizations, 17 of 17 activations"; "" where nothing is known."""
    if not (known := list(variant)):
        return ""
    found = absorbed(baseline, known)
    return ", ".join(f"{gone} of {calls} {kind}" for kind, (gone, calls) in found.items() if gone)


def _calls(kernels: Iterable[Kernel]) -> dict[str, int]:
    spent = dict.fromkeys(KINDS, 0.0)
    for kernel in kernels:
        name = kernel.operator.partition(" ")[0].rpartition("::")[2].strip("_")
        for kind, names in KINDS.items():
            spent[kind] += kernel.calls if name in names else 0
    return {kind: round(calls) for kind, calls in spent.items()}
