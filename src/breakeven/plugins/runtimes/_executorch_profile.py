"""The operators that ExecuTorch executes: it records its own kernels, XNNPACK records its operators."""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from breakeven.artifacts.operators import OperatorTime, Profiled, durations_s, typical
from breakeven.plugins.runtimes._executorch_private import execution_plan

# "Convolution (NHWC, QC8) IGEMM #3": the operator, the type of its first input, the number of the call
KERNEL_NAME = re.compile(r"(?P<operator>\w[^(]* \(\w+(?:, (?P<type>\w+))?[^)]*\)[^#]*?)(?: #\d+)?")
# The types under the names of XNNPACK and of ExecuTorch -> precision
PRECISIONS = {
    **dict.fromkeys(("F32", "PF32", "FLOAT"), "fp32"),
    **dict.fromkeys(("BF16", "BFLOAT16"), "bf16"),
    **dict.fromkeys(("QS8", "QU8", "QC8", "QD8", "QP8", "PQS8", "QDU8", "S8", "U8", "CHAR"), "int8"),
}
# Parts of the names of operators that change how numbers are stored, and compute nothing
CONVERSIONS = ("Convert", "sym_size", "view", "_copy", "clone", "quantize_")
XNNPACK_REST, EXECUTORCH_REST = "XNNPACK around its operators", "ExecuTorch around its calls"


def profile(program: Path, inputs: Sequence[Any], calls: int) -> Profiled:
    """Return the operators of `calls` calls, in milliseconds per call; XNNPACK counts whole microseconds."""
    from executorch.devtools.etdump.serialize import deserialize_from_etdump_flatcc
    from executorch.runtime import Runtime

    loaded = Runtime.get().load_program(program, enable_etdump=True)
    method = loaded.load_method("forward")
    assert method is not None
    walls = durations_s(partial(method.execute, inputs), 1 + calls)
    with TemporaryDirectory() as scratch:
        record = Path(scratch) / "record"
        loaded.write_etdump_result_to_file(str(record), str(Path(scratch) / "buffers"))
        runs = deserialize_from_etdump_flatcc(record.read_bytes()).run_data
    own_kernels = instructions(execution_plan(program))
    # The first run is the loading, and the second sets up what the later runs use.
    operators = [
        kernel
        for run in runs[-calls:]
        for kernel in parse_events((e.profile_event for e in run.events), own_kernels, calls)
    ]
    return Profiled(operators, 1e3 * float(typical(walls[1:], walls[1:])))


def instructions(plan: Any) -> dict[tuple[int, int], tuple[str, str]]:
    """Return ExecuTorch's own kernels: (chain, instruction) -> name, and type of the first input tensor."""
    kernels = {}
    for chain, steps in enumerate(plan.chains):
        for number, step in enumerate(steps.instructions):
            if hasattr(step.instr_args, "op_index"):
                first_input = plan.values[step.instr_args.args[0]].val
                kind = first_input.scalar_type.name if hasattr(first_input, "scalar_type") else ""
                kernels[chain, number] = (plan.operators[step.instr_args.op_index].name, kind)
    return kernels


def parse_events(
    events: Iterable[Any], own_kernels: dict[tuple[int, int], tuple[str, str]], calls: int
) -> list[OperatorTime]:
    """Return the operators of one run, and the time around them in XNNPACK and in ExecuTorch."""
    kernels, around, between = [], 0.0, 0.0
    for event in events:
        ms = (event.end_time - event.start_time) / 1e6 / calls
        if event.name == "Method::execute":
            between += ms
        elif event.name == "DELEGATE_CALL":
            around, between = around + ms, between - ms
        elif event.name == "OPERATOR_CALL":
            name, kind = own_kernels[event.chain_index, event.instruction_id]
            between -= ms
            kernels.append(OperatorTime(name, precision_of(name, kind), ms, 1 / calls))
        elif event.delegate_debug_id_str and (part := KERNEL_NAME.fullmatch(event.delegate_debug_id_str)):
            around -= ms
            precision = precision_of(part["operator"], part["type"] or "")
            kernels.append(OperatorTime(part["operator"], precision, ms, 1 / calls))
    rests = {XNNPACK_REST: around, EXECUTORCH_REST: between}
    return kernels + [OperatorTime(name, "", max(ms, 0.0), 1 / calls) for name, ms in rests.items()]


def precision_of(operator: str, kind: str) -> str:
    """Return an operator's precision by the type of its first input."""
    return "" if any(word in operator for word in CONVERSIONS) else PRECISIONS.get(kind, "")
