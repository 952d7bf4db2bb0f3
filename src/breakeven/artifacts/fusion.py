"""The baseline's operators that a variant does not call separately, because it fused or folded them."""

from collections.abc import Iterable

from breakeven.artifacts.artifact import Artifact
from breakeven.artifacts.operators import OperatorTime

FUSED_TITLE = "without a call of their own"
# Kind of operator that engines fuse with the convolution or product before it -> names of such operators in
# torch, ONNX Runtime, OpenVINO and XNNPACK, in lower case, without the namespace before "::". If one operator
# calls another of the same kind, only one of the two is listed.
FUSABLE_OPERATORS = {
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
# Entries of kernels without names: Inductor's kernels, and those of TorchScript's own oneDNN graphs
NAMELESS_KERNELS = ("CompiledFxGraph", "its own kernels", "to_mkldnn")


def fused_calls(
    baseline: Iterable[OperatorTime], variant: Iterable[OperatorTime]
) -> dict[str, tuple[int, int]]:
    """Count the baseline's calls that a variant fused, for each kind of operator that the baseline calls.

    Returns:
        Kind -> the number of calls that the variant does not make, and the number that the baseline makes.
    """
    before, after = _calls(baseline), _calls(variant)
    return {kind: (max(calls - after[kind], 0), calls) for kind, calls in before.items() if calls}


def describe(baseline: Iterable[OperatorTime], variant: Iterable[OperatorTime]) -> str:
    """Return the fused calls in a few words: "20 of 20 batch normalizations, 17 of 17 activations".

    Return "" if nothing was fused, or if the variant's operators are unknown.
    """
    kernels = list(variant)
    if not kernels or any(word in kernel.operator for kernel in kernels for word in NAMELESS_KERNELS):
        return ""
    fused = fused_calls(baseline, kernels)
    return ", ".join(f"{gone} of {calls} {kind}" for kind, (gone, calls) in fused.items() if gone)


def execution_details(baseline: Artifact, variant: Artifact) -> dict[str, str]:
    """Return title -> text of everything known about how a variant runs, except its precisions."""
    fused = describe(baseline.executed(), variant.executed())
    return {**variant.facts, **({FUSED_TITLE: fused} if fused else {})}


def _calls(kernels: Iterable[OperatorTime]) -> dict[str, int]:
    spent = dict.fromkeys(FUSABLE_OPERATORS, 0.0)
    for kernel in kernels:
        name = kernel.operator.partition(" ")[0].rpartition("::")[2].strip("_").lower()
        for kind, names in FUSABLE_OPERATORS.items():
            spent[kind] += kernel.calls if name in names else 0
    return {kind: round(calls) for kind, calls in spent.items()}
