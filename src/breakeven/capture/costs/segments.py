"""Models in nine segments with eight gaps, in each of which a graph can break."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch._dynamo
import torch._inductor.config
from torch import Tensor, nn

from breakeven.plugins.runtimes import _torch_private

SEGMENTS = 9
CLASSES = 10
TOKENS, VOCABULARY, FEATURES = 32, 256, 64  # of the transformer
SIDE = 32  # pixels of images


class Chain(nn.Module):
    """Nine segments, one after the other, with something done in some of the gaps between them."""

    def __init__(self, segments: Sequence[nn.Module], breaks: int, between: Callable[[], Any]) -> None:
        """Spread the breaks evenly over the gaps.

        Args:
            between: what is called in a gap with a break.
        """
        super().__init__()
        self.segments = nn.ModuleList(segments)
        self.broken = broken_gaps(breaks)
        self.between = between

    def forward(self, x: Tensor) -> Any:
        """Return the outputs of the last segment.

        The gaps are written out: after a break inside a loop, Dynamo leaves the whole function to Python.
        """
        segments, broken = self.segments, self.broken
        x = segments[0](x)
        if broken[0]:
            self.between()
        x = segments[1](x)
        if broken[1]:
            self.between()
        x = segments[2](x)
        if broken[2]:
            self.between()
        x = segments[3](x)
        if broken[3]:
            self.between()
        x = segments[4](x)
        if broken[4]:
            self.between()
        x = segments[5](x)
        if broken[5]:
            self.between()
        x = segments[6](x)
        if broken[6]:
            self.between()
        x = segments[7](x)
        if broken[7]:
            self.between()
        return segments[8](x)


def broken_gaps(breaks: int) -> tuple[bool, ...]:
    """Return for each of the eight gaps whether it has one of the breaks, which lie evenly."""
    gaps = SEGMENTS - 1
    chosen = {round((number + 1) * SEGMENTS / (breaks + 1)) - 1 for number in range(breaks)}
    return tuple(gap in chosen for gap in range(gaps))


def cnn() -> list[nn.Module]:
    """Return the segments of the package's small CNN: six convolutions, pool, flatten and linear layer."""
    from breakeven.plugins.models.cnn import cnn as build

    return list(build(in_channels=3, num_classes=CLASSES).children())


def resnet18() -> list[nn.Module]:
    """Return the segments of ResNet-18 for small images: the stem with a block, seven blocks, the head."""
    from breakeven.plugins.models.resnet18 import resnet18 as build

    whole: Any = build(in_channels=3, num_classes=CLASSES)
    first, *blocks = [block for number in range(1, 5) for block in getattr(whole, f"layer{number}")]
    stem = nn.Sequential(whole.conv1, whole.bn1, whole.relu, whole.maxpool, first)
    return [stem, *blocks, nn.Sequential(whole.avgpool, nn.Flatten(), whole.fc)]


def transformer() -> list[nn.Module]:
    """Return the segments of a small transformer: an embedding, seven layers, and a linear layer."""
    layers = [
        nn.TransformerEncoderLayer(FEATURES, 4, 2 * FEATURES, dropout=0.0, batch_first=True)
        for _ in range(SEGMENTS - 2)
    ]
    head = nn.Sequential(nn.Flatten(), nn.Linear(TOKENS * FEATURES, CLASSES))
    return [nn.Embedding(VOCABULARY, FEATURES), *layers, head]


MODELS: dict[str, Callable[[], list[nn.Module]]] = {
    "cnn": cnn,
    "transformer": transformer,
    "resnet18": resnet18,
}


SETTLE_MS = 20.0  # of a small model, before each block
SETTLES_MS = {"resnet18": 80.0}  # a call takes 10 ms, and its weights 45 MB


def settle_ms(model: str) -> float:
    """Return for how long to call a model before each block, so that its weights are in the caches."""
    return SETTLES_MS.get(model, SETTLE_MS)


def samples(model: str, count: int) -> Tensor:
    """Return inputs of a model: (N, tokens) numbers of tokens, or (N, 3, side, side) images."""
    if model == "transformer":
        return torch.arange(count * TOKENS).reshape(count, TOKENS) % VOCABULARY
    return torch.linspace(-1, 1, count * 3 * SIDE * SIDE).reshape(count, 3, SIDE, SIDE)


def compiled(network: nn.Module, *, whole: bool = True, dynamic: bool | None = False) -> Any:
    """Return a model behind `torch.compile`, which compiles it in this process at the first call.

    Args:
        whole: raise an error where a graph would break.
        dynamic: as of `torch.compile`.
    """
    _torch_private.require_compiler()
    # A pool of compiling processes would go on when this process is stopped.
    torch._inductor.config.compile_threads = 1
    return torch.compile(network, fullgraph=whole, dynamic=dynamic)


def chain(model: str, breaks: int = 0, between: Callable[[], Any] | None = None) -> nn.Module:
    """Return a model with fixed random weights, for inference.

    Args:
        model: a key of `MODELS`.
        breaks: how many gaps have a break.
        between: what breaks a graph there; by default Dynamo's own function for it.
    """
    torch.manual_seed(0)
    torch.set_grad_enabled(False)
    # The fused layer of eager mode is one operator, which leaves a compiler nothing to do.
    torch.backends.mha.set_fastpath_enabled(False)
    segments = MODELS[model]()
    return Chain(segments, breaks, between or torch._dynamo.graph_break).eval()
