"""The tester is tested: it calls wrong what is wrong, and right what is right."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from breakeven.capture import targets, way
from breakeven.capture.advice import advised
from breakeven.capture.example import Example
from breakeven.capture.judge import judge
from breakeven.capture.outcome import Outcome
from breakeven.capture.way import Captured, Way
from breakeven.core.errors import UserError

LIGHT = [name for name in way.names() if not way.load(name).is_heavy]
HEAVY = [pytest.param(name, marks=pytest.mark.slow) for name in way.names() if way.load(name).is_heavy]
IDIOMS = {target.name: target for target in targets.idioms()}
BRANCHING = [
    name
    for name in IDIOMS
    if getattr(__import__(f"breakeven.capture.idioms.{name}", fromlist=["x"]), "BRANCHES", False)
]


READS = (
    "__bool__",
    "__int__",
    "__float__",
    "__index__",
    "item",
    "tolist",
)  # how Python reads a tensor's values


class DropsBranches(Way):
    """Decides all later calls as the captured one: what Python read of a tensor then, it reads again."""

    title = "planted"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        read: list[Any] = []
        with reading(lambda method, tensor: read.append(value := method(tensor)) or value):
            example.call(copy.deepcopy(model))

        def call(*args: Any, **kwargs: Any) -> Any:
            values = iter(read)
            with reading(lambda method, tensor: next(values)):
                return model(*args, **kwargs)

        return Captured(call, model)


@contextmanager
def reading(how: Callable[[Any, Tensor], Any]) -> Iterator[None]:
    """Let Python read values of tensors by `how`, which gets the method and the tensor."""
    methods = {name: getattr(Tensor, name) for name in READS}
    depth = 0

    def patched(method: Any) -> Any:
        def read(tensor: Tensor) -> Any:
            nonlocal depth
            if depth:
                return method(tensor)  # one of them calls another
            depth += 1
            try:
                return how(method, tensor)
            finally:
                depth -= 1

        return read

    with pytest.MonkeyPatch.context() as patch:
        for name, method in methods.items():
            patch.setattr(Tensor, name, patched(method))
        yield


class Forgets(Way):
    """Calls the model itself, and then puts its buffers back."""

    title = "planted"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        def call(*args: Any, **kwargs: Any) -> Any:
            before = {name: buffer.clone() for name, buffer in model.named_buffers()}
            output = model(*args, **kwargs)
            for name, buffer in model.named_buffers():
                buffer.copy_(before[name])
            return output

        return Captured(call, is_stateless=True)


class Itself(Way):
    """Captures nothing: calls the model."""

    title = "planted"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        return Captured(model, model)


class FirstBatch(Way):
    """Gives as many outputs as the example had."""

    title = "planted"

    def capture(self, model: nn.Module, example: Example, any_batch: bool, folder: Path) -> Captured:
        size = example.batch_size()
        return Captured(lambda *args: model(*args)[:size], model)


def judged(make: Any, planted: Way, folder: Path) -> Outcome:
    return judge("model", "planted", planted, make, folder)


def convolution() -> tuple[nn.Module, Example]:
    return nn.Conv2d(3, 4, 3), Example((torch.randn(2, 3, 8, 8),))


@pytest.mark.parametrize("name", [*LIGHT, *HEAVY])
def test_a_plain_convolution_is_right_in_every_way(name: str, tmp_path: Path) -> None:
    outcome = judge("convolution", name, way.load(name), convolution, tmp_path)
    assert (outcome.kind, outcome.graphs) == ("right", 1), outcome


@pytest.mark.parametrize("name", BRANCHING)
def test_a_way_that_drops_a_branch_is_silently_wrong(name: str, tmp_path: Path) -> None:
    outcome = judged(IDIOMS[name].make, DropsBranches(), tmp_path)
    assert outcome.kind == "wrong" and outcome.probe not in ("", "the captured input"), outcome


@pytest.mark.parametrize("name", IDIOMS)
def test_the_model_itself_is_right(name: str, tmp_path: Path) -> None:
    outcome = judged(IDIOMS[name].make, Itself(), tmp_path)
    assert outcome.kind == ("random" if name in NOT_REPEATABLE else "right"), outcome


NOT_REPEATABLE = ("always_dropout", "random_numbers", "global_state")


class Counts(nn.Module):
    """Counts its calls, and does not show it."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * 2


def test_a_buffer_that_is_not_updated_is_silently_wrong(tmp_path: Path) -> None:
    outcome = judged(lambda: (Counts(), Example((torch.ones(2),))), Forgets(), tmp_path)
    assert outcome.kind == "wrong" and "buffer calls" in outcome.reason
    assert "return the new state" in advised(outcome).advice


def test_a_batch_that_is_baked_in_is_found(tmp_path: Path) -> None:
    outcome = judged(lambda: (nn.Linear(3, 2), Example((torch.ones(2, 3),))), FirstBatch(), tmp_path)
    assert (outcome.kind, outcome.probe) == ("wrong", "another batch size")
    assert "[2, 2], not [4, 2]" in outcome.reason and "x.shape[0]" in advised(outcome).advice


class Refuses(nn.Module):
    """Takes small numbers only."""

    def forward(self, x: Tensor) -> Tensor:
        if x.abs().max() > 2:
            raise ValueError("too large")
        return x + 1


def test_a_graph_that_answers_where_the_model_refuses_is_silently_wrong(tmp_path: Path) -> None:
    outcome = judged(lambda: (Refuses(), Example((torch.ones(2),))), DropsBranches(), tmp_path)
    assert (outcome.kind, outcome.probe) == ("wrong", "the input times 3")
    assert "the model refuses this input (ValueError)" in outcome.reason


def test_a_model_that_does_not_take_its_example_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"the model itself fails with its example: .*shapes"):
        judged(lambda: (nn.Linear(3, 2), Example((torch.ones(2, 4),))), Itself(), tmp_path)


SNIPPETS = {
    "branch_on_sum": {"jit_trace": "wrong", "jit_script": "right", "dynamo_full_graph": "refused"},
    "two_return_types": {"jit_trace": "wrong", "jit_script": "right", "dynamo": "pieces"},
    "numpy_inside": {"jit_trace": "wrong", "jit_script": "refused", "export_nonstrict": "refused"},
    "loop_over_item": {"jit_trace": "wrong", "dynamo_full_graph": "refused", "fx_trace": "refused"},
}


@pytest.mark.parametrize(("idiom", "name"), [(i, n) for i, known in SNIPPETS.items() for n in known])
def test_the_literatures_snippets(idiom: str, name: str, tmp_path: Path) -> None:
    outcome = judge(idiom, name, way.load(name), IDIOMS[idiom].make, tmp_path)
    assert outcome.kind == SNIPPETS[idiom][name], outcome
