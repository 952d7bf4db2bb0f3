"""What the error of a toolchain means: an inability of the tool, or a fault of the machine."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from breakeven.core.culprit import culprit
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.machine_errors import machine_fault

LONGEST = 300  # most characters of a message in a row
# Parts of messages of errors that a second try may not meet
MACHINE = re.compile(
    r"out of memory|not enough memory|can(not|'t) allocate|bad_alloc|no space left|disk quota exceeded|"
    r"too many open files|resource temporarily unavailable|killed signal|segmentation fault",
    re.IGNORECASE,
)
# Lines of messages that say nothing about the model: where the tool was, or what else to read
EMPTY_LINE = re.compile(
    r"""traceback \(most recent|file "|exception from |check '.*' failed at|"""
    r"from user code|"
    r"during handling|the above exception|the following operation failed|tracing failed sanity checks|"
    r"failed to (export|convert|decompose) the|exception raised from|frame #|set torch_?logs|"
    r"for (more|full) |"
    r"refer to|please |see |hint|you can (suppress|set|run)|this is (an|a) internal|error from |\W*$",
    re.IGNORECASE,
)
TORCHSCRIPT = re.compile(r"traceback of torchscript", re.IGNORECASE)
# TorchScript quotes some lines of the source, and marks the one that it means on the line after it
QUOTED = re.compile(r"file .*, line \d+$", re.IGNORECASE)
MARK = "<--- HERE"
SENTENCES = (RuntimeError, ValueError, TypeError, OSError)  # their messages mostly say what they are


@contextmanager
def refusal(sentence: str) -> Iterator[None]:
    """Turn an exception of a toolchain in the block into `Unsupported`.

    A toolchain raises the same exception for the same model, so that nobody has to try again. Exceptions
    that the machine causes (memory, disk, processes) pass unchanged.

    Args:
        sentence: what the toolchain cannot do, as "torch.onnx cannot export this model".

    Raises:
        Unsupported: the block raised an exception that is the toolchain's own.
    """
    try:
        yield
    except (Unsupported, UserError, WrongOutput, Failed):
        raise
    except Exception as error:
        if is_of_the_machine(error):
            raise
        cause = root_cause(error)
        line = telling_line(str(cause))
        says_itself = isinstance(cause, SENTENCES) and " " in line
        told = line if says_itself else in_words(cause)
        name = culprit(cause) or culprit(error)
        at = f" (at {name})" if name and name not in told else ""
        raise Unsupported(f"{sentence}: {told}{at}") from error


def is_of_the_machine(error: BaseException) -> bool:
    """Return whether the machine caused an error: its memory, its disk, or the processes on it.

    An `OSError` without a number comes from a tool, as "could not get source code".
    """
    return any(
        isinstance(each, MemoryError)
        or (isinstance(each, OSError) and each.errno is not None)
        or MACHINE.search(str(each))
        for each in chain(error)
    ) or any(machine_fault(each) for each in _with_contexts(error))


def root_cause(error: BaseException) -> BaseException:
    """Return the first error of a chain of errors: tools wrap it in a list of their steps."""
    return [each for each in chain(error) if str(each).strip() or each is error][-1]


def in_words(error: BaseException) -> str:
    """Return the type of an error and the line of its message that says something."""
    line = telling_line(str(error))
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def telling_line(message: str) -> str:
    """Return the line of a message that says something, in at most `LONGEST` characters; "" if it is empty.

    A line that ends with a colon introduces the next one, so both are returned.
    """
    lines = [line for line in map(str.strip, message.splitlines()) if line]
    if any(TORCHSCRIPT.match(line) for line in lines):  # its own error is the last line
        return lines[-1][:LONGEST]
    told = ""
    lines = _without_other_quotes(lines)
    for line in [line for line in lines if not EMPTY_LINE.match(line)] or lines:
        told = f"{told} {line}" if told else line
        if not line.endswith(":"):
            break
    return told[:LONGEST]


def _without_other_quotes(lines: list[str]) -> list[str]:
    """Return the lines of a message; of the source that TorchScript quotes, only the line that it marks."""
    mark = next((i for i, line in enumerate(lines) if line.endswith(MARK)), 0)
    quote = next((i for i, line in enumerate(lines[:mark]) if QUOTED.match(line)), mark)
    return lines[:quote] + lines[mark - 1 : mark] + lines[mark + 1 :] if quote < mark else lines


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its cause, and the cause's causes."""
    seen: BaseException | None = error
    while seen:
        yield seen
        seen = seen.__cause__


def _with_contexts(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and each error that was being handled when the next one was raised, hidden or not."""
    seen: BaseException | None = error
    while seen:
        yield seen
        seen = seen.__cause__ or seen.__context__
