"""The share of a call that guards take: the checks that a compiled graph still fits its inputs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from breakeven.capture.costs import segments, timing

LAYERS = 8
WIDTHS = (8, 64, 128, 256, 512, 1024)  # of the layers: the wider, the longer the call, under the same guards
SHARE = 0.1  # a share of a call that is worth to avoid


@dataclass(frozen=True)
class Guarded:
    """A factory for the engine: a compiled model whose calls check all guards, or only what they must."""

    model: str  # a key of `segments.MODELS`, or the width of a stack of linear layers
    skips: bool

    def __call__(self) -> Callable[[], Any]:
        """Return a function without arguments that runs the model on one sample."""
        import torch
        from torch import nn

        if self.model in segments.MODELS:
            network, x = segments.chain(self.model), segments.samples(self.model, 1)
        else:
            torch.manual_seed(0)
            torch.set_grad_enabled(False)
            width = int(self.model)
            layers = [part for _ in range(LAYERS) for part in (nn.Linear(width, width), nn.ReLU())]
            network, x = nn.Sequential(*layers).eval(), torch.linspace(-1, 1, width)[None]
        compiled = segments.compiled(network)
        compiled(x)
        if self.skips:
            torch.compiler.set_stance("default", skip_guard_eval_unsafe=True)
        return lambda: compiled(x)


def share(model: str, seconds: float) -> dict[str, Any]:
    """Return the length of a call, and which share of it guards take, with its interval.

    Args:
        model: as in `Guarded`.
        seconds: to measure for, beyond the first compilation.
    """
    variants = {"all": Guarded(model, False), "fewest": Guarded(model, True)}
    found = timing.time(variants, seconds, segments.settle_ms(model))
    shares = [1 - 1 / each for each in timing.ratio(found, "all", "fewest")]
    us = timing.us(found, "all")
    return {
        "model": model,
        "us": us,
        "share": shares,
        "guards_us": us * shares[0],
        **timing.effort(found, "all"),
    }


def break_even(found: list[dict[str, Any]]) -> tuple[float | None, float | None]:
    """Return between which lengths of a call, microseconds, the guards' share falls below `SHARE`.

    The first is that of the longest call of which guards surely take more, the second that of the shortest
    longer one of which they surely take less; None if there is no such call.
    """
    more = max((each["us"] for each in found if each["share"][1] > SHARE), default=None)
    less = min(
        (each["us"] for each in found if each["share"][2] < SHARE and each["us"] > (more or 0)), default=None
    )
    return more, less
