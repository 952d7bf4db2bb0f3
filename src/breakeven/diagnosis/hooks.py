"""Functions that are called before and after the forward of each module of a model."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

from torch import nn


@contextmanager
def around_modules(
    model: nn.Module | None, begin: Callable[[str], object], end: Callable[[str], object]
) -> Iterator[None]:
    """Call functions around each module's forward until the block ends.

    Args:
        model: None for no module at all.
        begin: takes the module's name as in `named_modules`, "" for the model itself.
        end: takes the same.
    """
    with ExitStack() as stack:
        for name, module in model.named_modules() if model is not None else ():
            stack.callback(module.register_forward_pre_hook(partial(_told, begin, name)).remove)
            stack.callback(module.register_forward_hook(partial(_told, end, name)).remove)
        yield


def _told(tell: Callable[[str], object], name: str, *_: object) -> None:
    tell(name)
