"""A tool's error is an inability of the tool unless the machine is its cause, and is quoted well."""

import errno

import pytest

from breakeven.core.errors import Unsupported
from breakeven.core.toolchain_errors import refusal, telling_line

MACHINE = [
    MemoryError(),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EMFILE, "Too many open files"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("C++ compile error\ng++: fatal error: Killed signal terminated program cc1plus"),
    RuntimeError("PytorchStreamWriter failed writing file: No space left on device"),
]


@pytest.mark.parametrize("error", MACHINE, ids=str)
def test_an_error_of_the_machine_is_none_of_the_tool(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, refusal("the tool cannot"):
        try:
            raise error
        except type(error) as cause:
            if isinstance(error, RuntimeError):
                raise RuntimeError("the step of the tool failed") from cause
            raise
    assert not isinstance(raised.value, Unsupported)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_tool_that_hides_the_error_of_the_machine_is_not_blamed(hidden: bool) -> None:
    with pytest.raises(RuntimeError, match="the step failed"), refusal("the tool cannot"):
        try:
            raise MemoryError
        except MemoryError:
            if hidden:
                raise RuntimeError("the step failed") from None
            raise RuntimeError("the step failed")  # noqa: B904
    with pytest.raises(Unsupported), refusal("the tool cannot"):
        try:
            raise FileNotFoundError(errno.ENOENT, "No such file", "a cache of its own")
        except FileNotFoundError:
            raise RuntimeError("the step failed") from None


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("could not get source code"), "could not get source code"),
        (KeyError("weight"), "KeyError: 'weight'"),
        (AssertionError(), "AssertionError"),
        (NotImplementedError("aten::unique"), "NotImplementedError: aten::unique"),
        (ValueError("no kernel for Sign"), "no kernel for Sign"),
    ],
)
def test_another_error_is_the_tools_and_says_what_it_was(error: Exception, told: str) -> None:
    with pytest.raises(Unsupported) as raised, refusal("the tool cannot take this model"):
        raise error
    assert str(raised.value) == f"the tool cannot take this model: {told}"


def test_the_first_cause_is_quoted() -> None:
    with (
        pytest.raises(Unsupported, match=r"^the tool cannot: no function for aten::_fft_r2c$"),
        refusal("the tool cannot"),
    ):
        try:
            raise ValueError("no function for aten::_fft_r2c")
        except ValueError as cause:
            raise RuntimeError("Failed to export the model. Here are the steps:") from cause


def test_the_operator_in_hand_is_named() -> None:
    class NodeProto:
        op_type = "ConvTranspose"

    NodeProto.__module__ = "onnx.onnx_ml_pb2"

    def quantize(node: NodeProto) -> None:
        raise ValueError("operands could not be broadcast together")

    with (
        pytest.raises(Unsupported, match=r"could not be broadcast together \(at ConvTranspose\)$"),
        refusal("the tools cannot quantize"),
    ):
        quantize(NodeProto())


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("one line", "one line"),
        ("", ""),
        ("\n\n  the second  \nthe third", "the second"),
        (
            "operators with mismatched dtypes:\n\n  abs: complex64\n  add: float",
            "operators with mismatched dtypes: abs: complex64",
        ),
        (
            "Exception from src/a.cpp:1:\nCheck 'a' failed at b.cpp:3:\nno conversion rule for aten::sign",
            "no conversion rule for aten::sign",
        ),
        (
            'from user code:\n  File "x.py", line 3, in forward\n    ~~~~^^^\nData-dependent branching',
            "Data-dependent branching",
        ),
        ("----\n====", "----"),
        (  # TorchScript quotes two lines before the one that it means
            'builtin cannot be used as a value:\n  File "x.py", line 6\n    w = z\n'
            "    return torch.add(\n        x, torch.add\n           ~~~~~~~~~ <--- HERE\n    )",
            "builtin cannot be used as a value: x, torch.add",
        ),
    ],
)
def test_the_line_that_says_something_is_quoted(message: str, line: str) -> None:
    assert telling_line(message) == line


def test_a_long_line_is_cut() -> None:
    assert len(telling_line("x " * 1000)) == 300
