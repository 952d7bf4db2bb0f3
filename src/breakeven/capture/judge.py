"""One model in one way: capture it, call the graph with every probe, and compare with the model."""

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from breakeven.capture import refusal
from breakeven.capture.differences import difference
from breakeven.capture.example import Example, buffers_of
from breakeven.capture.outcome import Kind, Outcome
from breakeven.capture.probes import Probe, probes
from breakeven.capture.way import Captured, Way
from breakeven.core.errors import UserError
from breakeven.core.toolchain_errors import chain

SEED = 0
Maker = Callable[[], tuple[nn.Module, Example]]


def judge(model_name: str, way_name: str, way: Way, make: Maker, folder: Path) -> Outcome:
    """Return the outcome of one model in one way. It changes this process: run it in one of its own.

    Args:
        make: returns a new model and its example.
        folder: for files of the way.
    """
    model, example = rehearsed(make)
    blank = Outcome(model_name, way_name, "right")
    if random := _randomness(model, example):
        return replace(blank, kind="random", reason=random)
    any_batch = _takes_any_batch(model, example)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            own = copy.deepcopy(model)
            torch.manual_seed(SEED)
            captured = way.capture(own, example.copy(), any_batch, folder)
        except Exception as error:
            return _refused(blank, error)
        told = [str(each.message) for each in caught if "Tracer" in each.category.__name__]
    outcome = _tried(blank, model, captured, probes(example, any_batch))
    notes = (f"the tool warned: {told[0].splitlines()[0].partition('. ')[0]}",) if told else ()
    return replace(outcome, notes=(*outcome.notes, *notes))


def rehearsed(make: Maker) -> tuple[nn.Module, Example]:
    """Return a new model for inference, and its example, after a call.

    Raises:
        UserError: the model cannot be made, or does not take its example.
    """
    torch.manual_seed(SEED)
    try:
        model, example = make()
        example.copy().call(copy.deepcopy(model.eval()))
    except UserError:
        raise
    except Exception as error:
        reason, line = refusal.in_words(error)
        where = f" ({line})" if line else ""
        raise UserError(f"the model itself fails with its example: {reason}{where}.") from None
    return model, example


def _randomness(model: nn.Module, example: Example) -> str:
    """Return how two calls of two copies of the model differ; "" if they do not."""
    first, second = (example.copy().call(copy.deepcopy(model)) for _ in range(2))
    words = difference(first, second, is_flat=False)
    return f"called twice, {words}" if words else ""


def _takes_any_batch(model: nn.Module, example: Example) -> bool:
    """Return whether the model takes another number of samples."""
    size = example.batch_size()
    if not size:
        return False
    try:
        example.with_batch(size + 2).call(copy.deepcopy(model))
    except Exception:
        return False
    return True


def _tried(blank: Outcome, model: nn.Module, captured: Captured, tries: list[Probe]) -> Outcome:
    """Return the outcome of calls with each probe; both the model and the graph live through all of them."""
    if captured.module is not None:
        _take_over(model, captured.module)
    updated = ""  # a buffer that calls change
    for probe in tries:
        before = buffers_of(model)
        given, taken = probe.example.copy(), probe.example.copy()
        try:
            expected = given.call(model)
        except Exception as error:
            if _answers(captured, taken):
                reason = f"the model refuses this input ({type(error).__name__}), the graph does not"
                return replace(blank, kind="wrong", probe=probe.name, reason=reason)
            _answers(captured, tries[0].example.copy())  # LazyTensor raises the same error once more
            continue
        try:
            got = taken.call(captured.call)
        except Exception as error:
            return _refused(blank if probe is tries[0] else replace(blank, probe=probe.name), error)
        updated = updated or _changed(before, buffers_of(model))
        words = difference(expected, got, captured.is_flat) or _inputs_changed(given, taken)
        if not words and captured.module is not None:
            words = _buffers_differ(model, captured.module)
        if words:
            return replace(blank, kind="wrong", probe=probe.name, reason=words)
    if captured.is_stateless and updated:
        reason = f"calls of the model change its buffer {updated}, the graph has no state"
        return replace(blank, kind="wrong", reason=reason)
    graphs, breaks = captured.graphs(), tuple(captured.breaks())
    if not graphs:
        return replace(
            blank, kind="refused", reason="no part was captured: Python runs all of it", breaks=breaks
        )
    kind: Kind = "pieces" if graphs > 1 or breaks else "right"
    apart = ("no break is told: hooks and forward are compiled apart",) if graphs > 1 and not breaks else ()
    return replace(blank, kind=kind, graphs=graphs, breaks=breaks, notes=apart)


def _answers(captured: Captured, example: Example) -> bool:
    """Return whether the graph takes an input."""
    try:
        example.call(captured.call)
    except Exception:
        return False
    return True


def _take_over(model: nn.Module, graph: nn.Module) -> None:
    """Give the model the buffers that the graph begins with: to capture a model may call it."""
    theirs = buffers_of(graph)
    for name, buffer in model.named_buffers():
        if name in theirs and theirs[name].shape == buffer.shape:
            buffer.copy_(theirs[name])


def _buffers_differ(model: nn.Module, graph: nn.Module) -> str:
    theirs = buffers_of(graph)
    for name, buffer in buffers_of(model).items():
        if name in theirs and (words := difference(buffer, theirs[name], is_flat=False)):
            return f"its buffer {name} is not updated as the model's: {words.replace('its output', 'it')}"
    return ""


def _changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> str:
    """Return the name of a buffer that differs; "" if none."""
    return next((name for name in before if not torch.equal(before[name], after[name])), "")


def _inputs_changed(given: Example, taken: Example) -> str:
    for number, (own, theirs) in enumerate(zip(given.tensors, taken.tensors, strict=True)):
        if words := difference(own, theirs, is_flat=False):
            return f"it does not change input {number} as the model does: {words}"
    return ""


def _refused(blank: Outcome, error: Exception) -> Outcome:
    reason, line = refusal.in_words(error)
    numbered = next((each for each in chain(error) if getattr(each, "gb_type", None)), None)
    registry = refusal.registry_number(str(getattr(numbered, "gb_type", ""))) if numbered else ""
    return replace(
        blank, kind="refused", reason=reason, line=line, registry=registry, hint=refusal.hint(error)
    )
