"""What a tool's refusal says in one line, where in the user's code it is, and what to write instead."""

import json
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from breakeven.capture.outcome import Outcome
from breakeven.capture.probes import ANOTHER_BATCH, CAPTURED, SECOND_CALL
from breakeven.capture.source_lines import shown, source_lines
from breakeven.core.toolchain_errors import chain, root_cause, telling_line

REGISTRY = Path(torch.__file__).parent / "_dynamo/graph_break_registry.json"
HINT = re.compile(r"Hint: (?P<hint>.+)")
WHERE = "compute both sides and choose by torch.where, or use torch.cond"
SIZES = "take sizes from the input (x.shape[0], reshape with -1), not from the example"
STATE = "return the new state as an output, and keep it outside of the model"
ARGUMENTS = "give forward a fixed list of arguments"
NUMBER = "keep the number a tensor: no .item(), int() or float()"
# Part of what a tool said, or of the source line -> what to write instead; the first one that fits counts
REMEDIES = (
    (r"numpy", "use torch's own functions in the place of numpy's"),
    (r"\.item\(|\.tolist\(|\bint\(|\bfloat\(", NUMBER),
    (r"data-dependent|control flow|guard on", WHERE),
    (r"local_scalar|unbacked", NUMBER),
    (r"\brand|\bseed", "draw the random numbers outside, and pass them as an input"),
    (r"\*args|variable number|keyword-only|default (value|argument)", ARGUMENTS),
    (r"buffer", STATE),
    (r"output of your traced|only tensors|dictionary inputs", "return tensors or a tuple of tensors"),
    (r"specialized|constraints violated|\blen\(|\.shape|\.size\(", SIZES),
)
OF_PROBES = {ANOTHER_BATCH: SIZES, SECOND_CALL: STATE}


def in_words(error: BaseException) -> tuple[str, str]:
    """Return the line of an error's message that says something, and the user's source line: "" for none."""
    cause = root_cause(error)
    reason = telling_line(str(cause)) or type(cause).__name__
    if type(cause).__name__ not in reason and not isinstance(cause, RuntimeError):
        reason = f"{type(cause).__name__}: {reason}"
    return reason.rstrip(". "), next(_user_lines(error), "")


def _user_lines(error: BaseException) -> Iterator[str]:
    for each in chain(error):
        for frame in reversed(list(getattr(each, "real_stack", None) or ())):
            yield from shown(frame.filename, frame.lineno)
        for frame in reversed(traceback.extract_tb(each.__traceback__)):
            yield from shown(frame.filename, frame.lineno)
        yield from source_lines(str(each))


@cache
def _registry() -> dict[str, str]:
    entries = json.loads(REGISTRY.read_text(encoding="utf-8"))
    return {each["Gb_type"]: number for number, versions in entries.items() for each in versions}


def registry_number(kind: str) -> str:
    """Return the number of a graph break in Dynamo's registry, as "GB0170"; "" if it has none."""
    return _registry().get(kind, "")


def complete(outcome: Outcome, error: BaseException | None = None) -> Outcome:
    """Return an outcome with the advice for it, if it needs one."""
    if outcome.kind in ("right", "random", "crash"):
        return outcome
    breaks = " ".join(f"{each.kind} {_code(each.line)}" for each in outcome.breaks)
    said = f"{outcome.reason} {_code(outcome.line)} {breaks}"
    remedy = OF_PROBES.get(outcome.probe, "") or next(
        (advice for pattern, advice in REMEDIES if re.search(pattern, said, re.IGNORECASE)), ""
    )
    if not remedy and error and (hint := HINT.search(str(error))):
        remedy = hint["hint"].strip()
    if not remedy and outcome.kind == "wrong" and outcome.probe not in ("", CAPTURED):
        remedy = f"the graph holds the operations of one input: {WHERE}"
    return replace(outcome, advice=remedy)


def _code(line: str) -> str:
    """Return the code of a source line, without its place."""
    return line.partition(": ")[2]
