"""How a static toolchain finds an activation's range: names that mean the same wherever a toolchain has them.

- `MinMax`: all that was seen.
- `MeanMinMax`: the mean of the images' own ranges.
- `MeanQuantile`: the same, of each image without its outermost values.
- `MovingAverage`: a mean over batches, a hundredth a batch: mostly the range of the first.
- `Histogram`: what leaves the least squared error after clipping and rounding.
- `Entropy`: what leaves the distribution nearest to what it was.
- `Percentile`: all but the outermost values of all images.
"""

from types import ModuleType
from typing import Any, Literal

Observed = Literal["MinMax", "MovingAverage", "Histogram"]  # by torch's observers, and by those of torchao
OBSERVERS: dict[Observed, str] = {
    "MinMax": "MinMaxObserver",
    "MovingAverage": "MovingAverageMinMaxObserver",
    "Histogram": "HistogramObserver",
}


def observer(module: ModuleType, method: Observed, default: Any) -> Any:
    """The observer of `module` for `method`, with the settings that the engine gives its `default` one."""
    return getattr(module, OBSERVERS[method]).with_args(**default.p.keywords)
