"""The parts that the runtimes of torch share: precision, memory layout, threads, and tensors in and out."""

import copy
import os
import shutil
from abc import ABC
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime, Profiled, durations_s, typical
from breakeven.artifacts.records import fields_of
from breakeven.core import paths
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import read_json
from breakeven.core.source_digest import packages
from breakeven.core.toolchain_errors import refusal
from breakeven.plugins.runtimes.base import ExecutionContext, ExportInput, Runtime, Session

if TYPE_CHECKING:  # the configuration is checked without the seconds that importing torch takes
    from torch import Tensor, nn

    from breakeven.artifacts.tensors import Tensors


# The profiler's name of a type -> precision. The first type that an operator's inputs have decides.
PRECISION_OF_TYPE = {
    "c10::quint8": "int8",
    "c10::qint8": "int8",
    "signed char": "int8",
    "c10::BFloat16": "bf16",
    "float": "fp32",
}
SILENT = "6"  # of the profiler's levels
# Parts of the names of operators that change how numbers are stored, and compute nothing
CONVERSIONS = ("copy_", "_to_copy", "::to", "::clone", "::contiguous", "::quantize_", "::dequantize")


class TorchRuntime(Runtime, ABC):
    """Settings that every runtime of torch has.

    Attributes:
        channels_last: store images and weights with the channels as the last dimension.
    """

    precisions = ("fp32", "bf16")
    modules: ClassVar[tuple[str, ...]] = ("torch", "breakeven.artifacts.precision")

    channels_last: bool = False

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of torch's threads, and flush denormal numbers.

        Raises:
            Unsupported: bf16 on a processor that has no instructions for it.
        """
        import torch

        from breakeven.artifacts.precision import native_bf16

        torch.set_flush_denormal(True)  # before torch starts threads, which inherit it
        torch.set_num_threads(context.threads)
        if self.precision == "bf16" and context.kind == "cpu" and not native_bf16():
            raise Unsupported("this processor has no instructions for bf16 that torch would use")

    def profile(
        self, folder: Path, context: ExecutionContext, session: Session, images: NDArray[Any], calls: int
    ) -> Profiled:
        """Ask torch's profiler; the operators that an operator calls do not count in its time.

        Where every call has the same operators, an operator has its time in a typical call, and a call by
        itself tells the types of its inputs: to write them down takes time. Otherwise an operator has its
        mean.
        """
        run = partial(session.run, session.prepare(images))
        typed, _ = _events(run, 1, with_types=True)
        events, walls = _events(run, calls, with_types=False)
        if [event.name for event in events] == [event.name for event in typed] * calls:
            times_ms = np.reshape([event.self_cpu_time_total / 1e3 for event in events], (calls, -1))
            operators = [
                _operator(event, float(ms)) for event, ms in zip(typed, typical(times_ms, walls), strict=True)
            ]
        else:
            events, walls = _events(run, calls, with_types=True)
            operators = [_operator(event, event.self_cpu_time_total / 1e3, 1 / calls) for event in events]
        return Profiled(operators, 1e3 * float(typical(walls, walls)))

    def converted(self, source: ExportInput) -> "nn.Module":
        """Return a copy of the model in the precision and memory layout of these settings."""
        from breakeven.artifacts.precision import convert

        with refusal("torch cannot copy this model"):
            model = copy.deepcopy(source.model)
        return convert(model, self.precision, self.channels_last, source.preprocessing)


def _events(run: Callable[[], object], calls: int, *, with_types: bool) -> tuple[list[Any], list[float]]:
    """Return what torch's profiler tells of some calls, and their durations in seconds.

    `torch.profiler` wraps the same profiler, and imports the compiler, which takes seconds.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", SILENT)  # it prints lines whenever a profile begins or ends
    from torch.autograd.profiler import profile

    with profile(record_shapes=with_types) as profiler:
        durations = durations_s(run, calls)
    return [*profiler.function_events], durations


def _operator(event: Any, ms: float, share: float = 1.0) -> OperatorTime:
    precision = precision_of(event.name, event.input_dtypes)
    return OperatorTime(event.name, precision, ms * share, share, _outermost(event))


def _outermost(event: Any) -> str:
    """Return the operator that the model itself calls: the outermost that is one, as in `precision_of`."""
    name = event.name
    while (event := event.cpu_parent) is not None:
        name = event.name if "::" in event.name else name
    return str(name)


def precision_of(operator: str, types: Collection[str]) -> str:
    """Return an operator's precision by its input types, or by its name where its weights are packed.

    An operator of torch is named `namespace::name`. Anything else, such as TorchScript's `forward`, only
    calls operators, and its own time is the interpreter's.
    """
    if "::" not in operator or any(word in operator for word in CONVERSIONS):
        return ""
    if any(word in operator for word in ("quantized::", "qconv", "qlinear")):
        return "int8"
    return next((precision for name, precision in PRECISION_OF_TYPE.items() if name in types), "")


def torch_session(module: "Callable[..., Tensors]", device: str) -> Session:
    """Return a session that calls `module`, whose inputs and outputs are tensors on `device`."""
    import torch

    from breakeven.artifacts.tensors import to_array

    def prepare(images: NDArray[Any]) -> "tuple[Tensor, ...]":
        return tuple(torch.from_numpy(field).to(device) for field in fields_of(images))

    def run(inputs: "tuple[Tensor, ...]") -> "Tensors":
        with torch.inference_mode():
            return module(*inputs)

    return Session(prepare, run, to_array, torch.get_num_threads)


class ModelSourceRuntime(TorchRuntime, ABC):
    """Runs the model's own Python code, on a copy of its weights and manifest."""

    modules: ClassVar[tuple[str, ...]] = (
        "torch",
        "breakeven.artifacts.saved_model",
        "breakeven.artifacts.preprocess",
        "breakeven.artifacts.precision",
    )

    def export(self, source: ExportInput, folder: Path) -> None:
        """Copy the model's files.

        Raises:
            Unsupported: a toolchain changed the model.
        """
        from breakeven.artifacts.model_manifest import MANIFEST, WEIGHTS

        if source.changed:
            raise Unsupported("it runs the model's own code, which no toolchain has quantized")
        for name in (MANIFEST, WEIGHTS):
            shutil.copyfile(source.folder / name, folder / name)

    def imports(self, folder: Path) -> tuple[str, ...]:
        """Return torch's modules, and those that building the model imports: some take seconds.

        These are the packages that its source imports, and torch-pruning for a pruned structure.
        Without a readable manifest it returns torch's modules only: `start` then says what is wrong.
        """
        try:
            card = read_json(folder / paths.MODEL_CARD)
            pruned = ["breakeven.artifacts.pruning_library"] if card["pruning"] else []
            return tuple(dict.fromkeys([*self.modules, *pruned, *packages(card["model"]["_target_"])]))
        except (UserError, KeyError, TypeError):
            return self.modules

    def start(self, folder: Path, context: ExecutionContext) -> None:
        """Set the number of torch's threads, and import the model's source."""
        from breakeven.artifacts import saved_model
        from breakeven.artifacts.model_manifest import read_card

        super().start(folder, context)
        saved_model.import_dependencies(read_card(folder))  # which keeps the number of threads

    def execution_details(self, folder: Path, context: ExecutionContext) -> dict[str, str]:
        """Return what the model's code had set in this process, so that it was set back."""
        from breakeven.artifacts import process_settings

        changed = process_settings.changed()
        return {"set by the model's code, and set back": changed} if changed else {}

    def model(self, folder: Path, preprocessing: str) -> "nn.Module":
        """Construct the model and load its weights."""
        from torch import nn

        from breakeven.artifacts import saved_model
        from breakeven.artifacts.precision import convert
        from breakeven.artifacts.preprocess import Preprocess

        model, card = saved_model.load(folder, checked=True)
        if preprocessing == "inside":
            dimensions = 1 + len(card.shape.sample)
            model = nn.Sequential(Preprocess(card.mean, card.std, dimensions), model).eval()
        return convert(model, self.precision, self.channels_last, preprocessing)
