"""How a static toolchain finds an activation's range. A method has one name in all toolchains that have it.

- `MinMax`: the range of all values.
- `MeanMinMax`: the mean of each image's range.
- `MeanQuantile`: the mean of each image's range without its outermost values.
- `MovingAverage`: a moving mean over batches with weight 0.01, so mostly the range of the first batch.
- `Histogram`: the range with the least squared error after clipping and rounding.
- `Entropy`: the range whose distribution is nearest to the original one (Kullback-Leibler).
- `Percentile`: the range of all images' values without the outermost ones.
"""

from types import ModuleType
from typing import Any, Literal

Observed = Literal["MinMax", "MovingAverage", "Histogram"]  # the methods of torch.ao and torchao
OBSERVERS: dict[Observed, str] = {
    "MinMax": "MinMaxObserver",
    "MovingAverage": "MovingAverageMinMaxObserver",
    "Histogram": "HistogramObserver",
}


def observer(module: ModuleType, method: Observed, default: Any) -> Any:
    """Return the observer of `module` for `method`, with the settings of the `default` observer."""
    return getattr(module, OBSERVERS[method]).with_args(**default.p.keywords)
