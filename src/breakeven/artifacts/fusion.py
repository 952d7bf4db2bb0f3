"""Which of the baseline's operators have no call of their own in a variant: they are fused, or folded."""

from collections.abc import Iterable

from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.operators import OperatorTime

TITLE = "without a call of their own"
# What engines fuse with the convolution or product before it -> the names of its operators in torch, ONNX
# Runtime, OpenVINO and XNNPACK, without what stands before "::", in lower case. Of operators that call each
# other one counts.
KINDS = {
    "batch normalizations": {"native_batch_norm", "batch_norm2d", "batchnormalization", "batchnorminference"},
    "activations": {
        *(
            "relu",
            "leaky_relu",
            "hardtanh",
            "hardswish",
            "hardsigmoid",
            "silu",
            "gelu",
            "elu",
            "sigmoid",
            "tanh",
        ),
        *("clip", "clamp", "leakyrelu", "hswish", "hsigmoid", "swish", "approxgelu"),
        *("quickgelu", "biasgelu", "fastgelu", "qlinearsigmoid", "qlinearleakyrelu"),
    },
    "additions": {"add", "add_relu", "qlinearadd", "eltwise"},
}
# Entries that stand for kernels which nobody names: Inductor's, and those of TorchScript's own oneDNN graphs
OPAQUE = ("CompiledFxGraph", "its own kernels", "to_mkldnn")


def fused_calls(
    baseline: Iterable[OperatorTime], variant: Iterable[OperatorTime]
) -> dict[str, tuple[int, int]]:
    """Kind -> how many of the baseline's calls have none in the variant, and how many those are."""
    before, after = _calls(baseline), _calls(variant)
    return {kind: (max(calls - after[kind], 0), calls) for kind, calls in before.items() if calls}


def describe(baseline: Iterable[OperatorTime], variant: Iterable[OperatorTime]) -> str:
    """In a few words: "20 of 20 batch normalizations, 17 of 17 activations"; "" where that is not known."""
    known = list(variant)
    if not known or any(word in kernel.operator for kernel in known for word in OPAQUE):
        return ""
    found = fused_calls(baseline, known)
    return ", ".join(f"{gone} of {calls} {kind}" for kind, (gone, calls) in found.items() if gone)


def execution_details(baseline: Artifact, variant: Artifact) -> dict[str, str]:
    """What is known of how a variant executes, besides its precisions: title -> text."""
    fused = describe(baseline.executed(), variant.executed())
    return {**variant.facts, **({TITLE: fused} if fused else {})}


def _calls(kernels: Iterable[OperatorTime]) -> dict[str, int]:
    spent = dict.fromkeys(KINDS, 0.0)
    for kernel in kernels:
        name = kernel.operator.partition(" ")[0].rpartition("::")[2].strip("_").lower()
        for kind, names in KINDS.items():
            spent[kind] += kernel.calls if name in names else 0
    return {kind: round(calls) for kind, calls in spent.items()}
