"""What every model promises to Breakeven. These checks call the model; they run in a process of their own.

Each broken promise is one sentence: what, and what to write instead.
"""

import inspect
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from breakeven.artifacts import process_settings
from breakeven.artifacts.module_modes import evaluated, scored_outputs
from breakeven.artifacts.output_of import OutputOf, named_tensors, whole
from breakeven.artifacts.tensors import Tensors, call, count, each, same, separate, sizes
from breakeven.pipeline.training.batches import shrink

# Kernels add numbers in another order for another batch. Larger differences, as a share of the largest logit,
# have another cause.
SAME, REPEATED = 1e-4, 1e-5
ALONE = 8  # images that are also given alone
RANDOM_CALLS, RANDOM_S = 50, 1.0  # calls and seconds at most to find out what drawn numbers do
OTHER_S = 0.3  # the same where no number of a global generator is drawn: a model may have one of its own
LEARNING_RATE = 1e-2  # of a step of training that is tried and thrown away
BATCH_HINT = (
    "take no statistics over the batch: no `x.mean(0)`, no batch normalization without running statistics"
)
ONE_HINT = "a batch of one sample is not enough: raise `batch_size` of its training"
INPUT_HINT = (
    "the dataset decides what it is given (of images `size` and `colour`), and `_inputs_` of the model what "
    "its constructor is given"
)


class BrokenPromise(Exception):
    """A promise that a model does not keep; the message says which, and what to write instead."""


def check_evaluation(model: nn.Module, inputs: Tensors, expected: tuple[int, ...]) -> None:
    """Check what a model gives in evaluation mode, as it is called where it is measured.

    Args:
        inputs: normalized images, (N, C, H, W), tokens, (N, L), or several tensors; N is at least 2.
        expected: the shape of the first output that is scored, for one sample.

    Raises:
        BrokenPromise: the first promise that it breaks.
    """
    evaluated(model)
    before = process_settings.read()
    with torch.inference_mode():
        _call(model, each(lambda tensor: tensor[:2], inputs), expected)
    _require_settings(before)  # here, too: a later call may set back what an earlier one has set
    with torch.inference_mode():
        state = _random_state()
        logits = _call(model, inputs, expected)
        draws = _random_state() != state
        for again in _again(model, inputs, expected, draws):
            if difference(logits, again) > (0.0 if draws else REPEATED):
                raise BrokenPromise(
                    "it gives other outputs when the same inputs are given again: something in it is random "
                    "in evaluation mode, or remembers earlier calls: let `self.training` decide, as "
                    "nn.Dropout does"
                )
        few = min(ALONE, count(inputs))
        single = [_call(model, each(lambda one: one[n : n + 1], inputs), expected) for n in range(few)]  # noqa: B023
        alone = tuple(map(torch.cat, zip(*single, strict=True)))
        if (off := difference(tuple(output[:few] for output in logits), alone)) > SAME:
            raise BrokenPromise(
                f"the outputs of a sample depend on the samples beside it (alone they differ by {off:.2g} of "
                f"the largest): {BATCH_HINT}"
            )
        if difference(logits, _call(model, inputs, expected)) > REPEATED:
            raise BrokenPromise(
                "it gives other outputs after other inputs were given: it remembers earlier calls in "
                "evaluation mode: let `self.training` decide what it keeps"
            )
        _require_computing(model, inputs, expected)
    _require_settings(before)


def require_order(model: nn.Module, names: Sequence[str]) -> None:
    """Refuse inputs whose names are those of the arguments of `forward`, in another order.

    They are given by position, so that a mask would be taken for tokens.

    Raises:
        BrokenPromise: it names both orders.
    """
    arguments = [*inspect.signature(whole(model).forward).parameters]
    if not {*names} <= {*arguments} or [*names] == arguments[: len(names)]:
        return
    wanted = ", ".join(arguments[: max(map(arguments.index, names)) + 1])
    raise BrokenPromise(
        f"its forward takes {wanted}, and a sample's inputs are {', '.join(names)}, which are given by "
        "position: bring them in the order of the arguments"
    )


def _require_computing(model: nn.Module, inputs: Tensors, expected: tuple[int, ...]) -> None:
    """Raise a `BrokenPromise` if the model keeps the logits of inputs that it has seen.

    A block times one batch again and again. Here the images come in an order that the model has not seen.
    """
    counts = []
    for _ in range(2):
        with _OperatorCount() as count:
            _call(model, each(lambda tensor: tensor.flip(0), inputs), expected)
        counts.append(count.operators)
    if counts[1] < counts[0]:
        raise BrokenPromise(
            f"it computes less when the same inputs are given again ({counts[1]} operators instead of "
            f"{counts[0]}): it keeps earlier results, which makes a timing meaningless: remove that from its "
            "forward"
        )


class _OperatorCount(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the operators that are executed within its `with` block."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operators = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.operators += 1
        return function(*args, **(kwargs or {}))


def _require_settings(before: Mapping[str, Any]) -> None:
    after = process_settings.read()
    if odd := [name for name in after if name != process_settings.SEED and after[name] != before[name]]:
        raise BrokenPromise(f"its forward changes {odd[0]}, which the hardware's settings decide: remove it")


def try_training(
    model: nn.Module, inputs: Tensors, expected: tuple[int, ...], sides: Sequence[float], steps: int = 2
) -> None:
    """Train the model for a few steps, as the training would.

    Args:
        sides: of the training images, as shares of the full side.

    Raises:
        BrokenPromise: it cannot be trained.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not parameters:
        raise BrokenPromise("it cannot be trained: no parameter requires a gradient; set train=null")
    model.train()
    for side in [*dict.fromkeys(sides), *[1.0] * (steps - 1)]:
        smaller = inputs if side == 1 or isinstance(inputs, tuple) else shrink(inputs, side)
        logits = _call(model, smaller, expected, " while it is trained")[0]
        loss = (logits.float() - 1).square().mean()  # whatever the task: only the gradients matter
        if not loss.requires_grad:
            raise BrokenPromise(
                "it cannot be trained: its outputs have no gradient: remove `detach` and `no_grad` from its "
                "forward"
            )
        try:
            gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        except Exception as error:
            raise BrokenPromise(f"it cannot be trained: its gradients stop ({_brief(error)})") from None
        with torch.no_grad():  # importing torch's optimizers would take seconds
            for parameter, gradient in zip(parameters, gradients, strict=True):
                if gradient is not None:
                    parameter.sub_(LEARNING_RATE * gradient)


def difference(one: Tensors, other: Tensors) -> float:
    """Return the largest difference of an output, as a share of its largest number.

    It is infinite if it cannot be told.
    """
    return max(map(_difference, separate(one), separate(other)))


def _difference(one: Tensor, other: Tensor) -> float:
    one, other = one.float(), other.float()
    if one.shape != other.shape:
        return float("inf")
    finite = one.isfinite()
    if not torch.equal(finite, other.isfinite()):
        return float("inf")
    largest = float(one[finite].abs().max()) if finite.any() else 0.0
    return float((one - other)[finite].abs().max()) / largest if largest else 0.0


def unsaved_state(model: nn.Module) -> list[str]:
    """Return the attributes of a model that hold tensors or modules, and that its state dict lacks."""
    saved = {id(value) for value in (*model.parameters(), *model.buffers())}
    names = []
    for place, module in model.named_modules():
        prefix = f"{place}." if place else ""
        names += [f"{prefix}{name}" for name in module._non_persistent_buffers_set]
        for name, value in vars(module).items():
            if not name.startswith("_") and any(id(each) not in saved for each in _tensors(value)):
                names.append(f"{prefix}{name}")
    return names


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.parameters()
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _call(model: nn.Module, inputs: Tensors, expected: tuple[int, ...], when: str = "") -> tuple[Tensor, ...]:
    """Return the outputs for some inputs; the first is the one that is scored, (N, expected)."""
    given = each(torch.clone, inputs)
    try:
        output: Any = call(model, given)
    except Exception as error:  # any error of the user's code
        hint = ONE_HINT if when and count(inputs) == 1 else INPUT_HINT
        raise BrokenPromise(
            f"it stops on inputs of {sizes(inputs)}{when} ({_brief(error)}); {hint}"
        ) from None
    if when:
        output = scored_outputs(model, output)
    shape = (count(inputs), *expected)
    is_wrapped = isinstance(model, OutputOf)
    scored, *others = separate(output) if is_wrapped else (output,)
    given_shape = tuple(scored.shape) if isinstance(scored, Tensor) else _kind(scored)
    if given_shape != shape:
        alone = " for one sample" if count(inputs) == 1 else ""
        remedy = (
            "write `x.squeeze((2, 3))` or `x.flatten(1)` instead of `x.squeeze()`" if alone else INPUT_HINT
        )
        raise BrokenPromise(f"it gives {given_shape}{alone}{when}, and should give {shape}; {remedy}")
    if not scored.is_floating_point():
        raise BrokenPromise(f"it gives numbers of {scored.dtype}, and a score needs fractions")
    if odd := [tuple(tensor.shape) for tensor in others if tensor.ndim == 0 or len(tensor) != count(inputs)]:
        raise BrokenPromise(
            f"one of its outputs is {odd[0]} for {count(inputs)} samples{when}: every output should have a "
            "row for each sample: pad what differs in size, and leave out what belongs to no sample"
        )
    if not same(given, inputs):
        raise BrokenPromise(
            "it writes into its input, which is timed again and again: write `x = x - 0.5` instead of "
            "`x.sub_(0.5)`"
        )
    return scored, *others


def _kind(output: Any) -> str:
    """Return what a model gives instead of a tensor, and how to choose one."""
    names = [name for name, _ in named_tensors(output)]
    hint = f" of {', '.join(names[:6])} (write `_output_: {names[0]}` there for the one to score)"
    return f"a {type(output).__name__}{hint if names else ''}"


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:200]}"


def _again(
    model: nn.Module, inputs: Tensors, expected: tuple[int, ...], draws: bool
) -> Iterator[tuple[Tensor, ...]]:
    """Yield the outputs of further calls, of two at least; for longer if a call draws random numbers."""
    end = time.monotonic() + (RANDOM_S if draws else OTHER_S)
    for number in range(RANDOM_CALLS):
        yield _call(model, inputs, expected)
        if number and time.monotonic() > end:
            return


def _random_state() -> tuple[bytes, Any, bytes]:
    """Return the state of the global generators of random numbers."""
    state: Any = np.random.get_state()  # noqa: NPY002  (models may use the global generator)
    return torch.get_rng_state().numpy().tobytes(), random.getstate(), state[1].tobytes() + bytes(state[2])
