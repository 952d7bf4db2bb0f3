"""Each cell has a process of its own: a crash or a hang costs that cell, and finished cells are kept."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from breakeven.capture import cells
from breakeven.capture.example import Example
from breakeven.capture.study import Target, outcomes, require_works
from breakeven.core import paths
from breakeven.core.errors import UserError

CALLS = Path("calls.txt")


class Dies(nn.Module):
    """Ends the process in which it is traced."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_tracing():
            os.kill(os.getpid(), signal.SIGSEGV)
        return x


class Hangs(nn.Module):
    """Never ends where it is traced."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.jit.is_tracing():
            time.sleep(600)
        return x


class Fine(nn.Module):
    """Adds one, and notes it."""

    def forward(self, x: Tensor) -> Tensor:
        with CALLS.open("a") as file:
            file.write("called\n")
        return x + 1


class Asks(nn.Module):
    """Needs more than its example has."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ torch.ones(7, 2)


def dies() -> tuple[nn.Module, Example]:
    return Dies(), Example((torch.ones(2),))


def hangs() -> tuple[nn.Module, Example]:
    return Hangs(), Example((torch.ones(2),))


def fine() -> tuple[nn.Module, Example]:
    return Fine(), Example((torch.ones(2),))


def asks() -> tuple[nn.Module, Example]:
    return Asks(), Example((torch.ones(2, 3),))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "home", lambda: tmp_path)
    monkeypatch.setattr(cells, "TIMEOUT_S", 8.0)


def test_a_crash_and_a_hang_cost_one_cell_each() -> None:
    targets = [Target("dies", dies), Target("hangs", hangs), Target("fine", fine)]
    found = {each.model: each for each in outcomes(targets, ["jit_trace"], is_kept=False)}
    assert {name: each.kind for name, each in found.items()} == {
        "dies": "crash",
        "hangs": "crash",
        "fine": "right",
    }
    assert "SIGSEGV" in found["dies"].reason
    assert "8 s" in found["hangs"].reason


def test_what_is_known_is_not_tried_again_unless_asked_for() -> None:
    target = Target("fine", fine, "1")
    first = list(outcomes([target], ["jit_trace"], is_kept=True))
    calls = CALLS.stat().st_size
    assert list(outcomes([target], ["jit_trace"], is_kept=True)) == first
    assert CALLS.stat().st_size == calls
    assert list(outcomes([target], ["jit_trace"], is_kept=True, again=True)) == first
    assert CALLS.stat().st_size > calls
    more = CALLS.stat().st_size
    assert list(outcomes([replace(target, version="2")], ["jit_trace"], is_kept=True)) == first
    assert CALLS.stat().st_size > more


def test_what_an_interrupt_ends_has_no_outcome(tmp_path: Path) -> None:
    targets = [Target("fine", fine, "1"), *[Target(f"hangs-{place}", hangs, "1") for place in range(3)]]
    tried = outcomes(targets, ["jit_trace"], is_kept=True)
    assert next(tried).kind == "right"
    began = time.monotonic()
    tried.close()  # as Ctrl-C does
    assert time.monotonic() - began < cells.TIMEOUT_S, "it waited for models that hang"
    assert len([*tmp_path.rglob("*.json")]) == 1


def test_a_model_that_does_not_take_its_example_is_refused_before_any_way_is_tried() -> None:
    with pytest.raises(UserError, match=r"^asks: the model itself fails with its example: .*study.py:\d+"):
        require_works(Target("asks", asks))
    require_works(Target("fine", fine))
