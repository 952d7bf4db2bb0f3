"""The size of a model: parameters, work, and the numbers that one input moves.

The operators themselves are counted, not the layers, so that hooks, modes and gradients change no figure.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil, prod
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from breakeven.artifacts.model_manifest import Input
from breakeven.artifacts.module_modes import evaluating
from breakeven.artifacts.tensors import Tensors, call

aten = torch.ops.aten
ONEDNN: Any = torch.backends.mkldnn
FACTORS = {aten.mm: (0, 1), aten.addmm: (1, 2), aten.bmm: (0, 1), aten.baddbmm: (1, 2)}  # their positions
OF_LAYERS = (aten.mm, aten.addmm)  # linear layers call them; attention calls products of batches


class ModelSize(NamedTuple):
    """The figures of a `ModelManifest` that say how large a model is."""

    parameters: int
    macs: int  # multiply-accumulates for one input
    activations: int  # numbers that convolutions and linear layers read and write for one input
    used_weights: int  # parameters that a call has to read
    used_macs: int  # multiply-accumulates without those with zero padding


def count_work(model: nn.Module, shape: Input) -> ModelSize:
    """Return the size of a model, for one input of `shape`.

    A call need not read a table of embeddings, a layer that it does not use, and the positions of a kernel
    that meet nothing but zero padding: on a map of one pixel, these are eight ninths of a 3x3 kernel.
    """
    counter = _count(model, shape.example())
    return ModelSize(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        macs=ceil(counter.flops / 2),
        activations=counter.activations,
        used_weights=counter.used_weights,
        used_macs=ceil((counter.flops - counter.padding_flops) / 2),
    )


def flops(model: nn.Module, example: Tensors) -> int:
    """Return the floating-point operations for `example`: two for each multiply-accumulate."""
    return _count(model, example).flops


def _count(model: nn.Module, example: Tensors) -> "OperatorCounter":
    counter = OperatorCounter([*model.parameters()])
    with evaluating(model), torch.no_grad(), _without_fused_operators(), counter:
        call(model, example)
    return counter


@contextmanager
def _without_fused_operators() -> Iterator[None]:
    """Make torch call attention and recurrent layers as products, which have formulas."""
    attention = torch.backends.mha.get_fastpath_enabled()
    recurrent = ONEDNN.enabled
    torch.backends.mha.set_fastpath_enabled(False)
    ONEDNN.enabled = False  # its context `flags` would also change the precision
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(attention)
        ONEDNN.enabled = recurrent


class OperatorCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the work of all operators that run inside of its `with` block."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = self.padding_flops = self.activations = 0
        self._parameters = {_storage(parameter): parameter for parameter in parameters if parameter.numel()}
        self._read: set[int] = set()  # storages of parameters that are read as a whole
        self._kernels: dict[int, Tensor] = {}  # storage of a kernel -> the positions that meet an input

    @property
    def used_weights(self) -> int:
        """Return how many numbers of the parameters were read."""
        whole = sum(self._parameters[storage].numel() for storage in self._read)
        parts = {storage: used for storage, used in self._kernels.items() if storage not in self._read}
        return whole + sum(
            self._parameters[storage].numel() * int(used.sum()) // used.numel()
            for storage, used in parts.items()
        )

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Count one operator, or the operators that it consists of."""
        kwargs = kwargs or {}
        if not isinstance(func, torch._ops.OpOverload):
            return func(*args, **kwargs)
        operator = func.overloadpacket
        if operator not in flop_registry:
            with self:
                if (output := func.decompose(*args, **kwargs)) is not NotImplemented:
                    return output
        output = func(*args, **kwargs)
        if operator in flop_registry:
            self.flops += flop_registry[operator](*args, **kwargs, out_val=output)
        if operator is aten.convolution:
            self._convolution(output, *args)
        else:
            if operator in FACTORS:
                one, other = FACTORS[operator]
                self._product(output, args[one], args[other], operator in OF_LAYERS)
            if operator is not aten.embedding:  # it reads a few rows of its table
                self._read |= {self._parameter(value) for value in args} - {0}
        return output

    def _convolution(
        self,
        output: Tensor,
        inputs: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        transposed: bool,
        *more: Any,
    ) -> None:
        self.activations += inputs.numel() + output.numel()
        # A transposed convolution connects the same positions, with inputs and outputs exchanged.
        wide, narrow = (output, inputs) if transposed else (inputs, output)
        sizes = zip(weight.shape[2:], wide.shape[2:], narrow.shape[2:], strict=True)
        steps = zip(stride, padding, dilation, strict=True)
        meets = [_meetings(*size, *step) for size, step in zip(sizes, steps, strict=True)]
        arguments = (inputs, weight, bias, stride, padding, dilation, transposed, *more)
        work: int = flop_registry[aten.convolution](*arguments, out_val=output)
        pairs, real = prod(each.numel() for each in meets), prod(int(each.sum()) for each in meets)
        self.padding_flops += work - work * real // pairs
        if storage := self._parameter(weight):
            used = torch.ones((), dtype=torch.bool)
            for each in meets:
                used = used[..., None] & each.any(1)
            before = self._kernels.get(storage)
            self._kernels[storage] = used if before is None else used | before
        self._read |= {self._parameter(inputs), self._parameter(bias)} - {0}

    def _product(self, output: Tensor, one: Tensor, other: Tensor, of_layer: bool) -> None:
        """Count what a linear layer moves: its input, which is no parameter, and its output."""
        first, second = self._parameter(one), self._parameter(other)
        if first or second or of_layer:
            self.activations += (other if first and not second else one).numel() + output.numel()

    def _parameter(self, value: Any) -> int:
        """Return the storage of a parameter or of a view of one; 0 for anything else."""
        storage = _storage(value) if isinstance(value, Tensor) else 0
        return storage if storage in self._parameters else 0


def _storage(value: Tensor) -> int:
    return value.untyped_storage().data_ptr()


def _meetings(kernel: int, wide: int, narrow: int, stride: int, padding: int, dilation: int) -> Tensor:
    """Return which kernel positions meet an input at which output, (kernel, narrow), in one dimension.

    Args:
        wide: the size of the input; of the output, if the convolution is transposed.
        narrow: the size of the output; of the input, if the convolution is transposed.
    """
    offsets = torch.arange(kernel) * dilation - padding
    met = offsets[:, None] + torch.arange(narrow) * stride
    return (met >= 0) & (met < wide)
