"""An assertion about values: a trace drops it, and the graph answers where the model refuses."""

import torch
from torch import Tensor, nn

BRANCHES = True
ADVICE = "check before the model, or by an operator that itself refuses, as index_select does"


class Model(nn.Module):
    """Take numbers below 10 only."""

    def forward(self, x: Tensor) -> Tensor:
        assert (x < 10).all(), "a number is too large"
        return x.log1p()


class Rewrite(nn.Module):
    """Add a zero, whose index is out of range where a number is too large."""

    def forward(self, x: Tensor) -> Tensor:
        # TorchScript would drop torch._assert_async: it has no output
        is_refused = (x < 10).all().logical_not()
        zeros = torch.zeros(1, device=x.device)
        return x.log1p() + zeros.index_select(0, is_refused.long().reshape(1))


def example() -> Tensor:
    """Return a batch that passes, and whose triple does not."""
    return torch.arange(6.0).reshape(2, 3)
