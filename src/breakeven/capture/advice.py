"""What to write instead of what a tool refused, or got wrong."""

import re
from dataclasses import replace

from breakeven.capture.outcome import Outcome
from breakeven.capture.probes import ANOTHER_BATCH, CAPTURED, SECOND_CALL

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


def advised(outcome: Outcome, own: str = "") -> Outcome:
    """Return an outcome with the advice for it, if it needs one.

    Args:
        own: the advice for this model, which replaces that for its kind.
    """
    if outcome.kind in ("right", "random", "crash"):
        return outcome
    return replace(outcome, advice=own or _remedy(outcome) or outcome.hint)


def _remedy(outcome: Outcome) -> str:
    breaks = " ".join(f"{each.kind} {_code(each.line)}" for each in outcome.breaks)
    said = f"{outcome.reason} {_code(outcome.line)} {breaks}"
    remedies = (advice for pattern, advice in REMEDIES if re.search(pattern, said, re.IGNORECASE))
    if found := OF_PROBES.get(outcome.probe, "") or next(remedies, ""):
        return found
    if outcome.kind == "wrong" and outcome.probe not in ("", CAPTURED):
        return f"the graph holds the operations of one input: {WHERE}"
    return ""


def _code(line: str) -> str:
    """Return the code of a source line, without its place."""
    return line.partition(": ")[2]
