"""What we use of torch without a promise that it stays: one place to look after an upgrade.

Tested with torch 2.14. Functions import when they are called: a configuration is checked without torch.
`artifacts/saved_model.py` also reads `_metadata`, the versions of modules in a state dict.
"""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from breakeven.core.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor
    from torch.export import ExportedProgram

# Modules that an export imports at its first call, which takes seconds: a fork server imports them once
EXPORTER = ("torch._dynamo", "torch.export._trace")
ONNX_EXPORTER = (*EXPORTER, "torch.onnx._internal.exporter._torchlib.ops")
AOT_EXPORTER = (*EXPORTER, "torch._inductor.compile_fx")

# Modules that a fork server imports before it forks workers
AOT_LOADER = "torch.export.pt2_archive._package"
COMPILER_MODULES = ("torch._dynamo", "torch._inductor.compile_fx")


def require_compiler() -> None:
    """Refuse a machine on which Inductor cannot compile.

    Inductor has no public function that looks for a compiler; without one, each model would fail by itself.

    Raises:
        Unsupported: there is no C++ compiler.
    """
    from torch._inductor import cpp_builder, exc

    try:
        cpp_builder.get_cpp_compiler()
    except exc.InvalidCxxCompiler:
        raise Unsupported("Inductor needs a C++ compiler, and finds none: install g++") from None


def configure_inductor(*, compile_threads: int, freezing: bool) -> None:
    """Set options of Inductor for this process.

    Freezing cannot be an option of `torch.compile`: Dynamo reads the global one to make weights constants.
    """
    import torch
    from torch._inductor import config

    config.compile_threads = compile_threads
    config.freezing = freezing
    torch._dynamo.config.automatic_dynamic_shapes = False  # kernels for one batch size are faster
    # Otherwise Dynamo gives up in silence on a model that each call would compile again, and Python runs it.
    torch._dynamo.config.fail_on_recompile_limit_hit = True


def require_enabled() -> None:
    """Raise an error if torch.compile would do nothing, or would hide that it failed.

    Raises:
        Unsupported: a variable of the environment, or the model's code, has switched it off.
    """
    import torch

    config = torch._dynamo.config
    if config.disable or os.environ.get("TORCH_COMPILE_DISABLE") == "1":
        raise Unsupported(
            "torch.compile is switched off: unset TORCHDYNAMO_DISABLE and TORCH_COMPILE_DISABLE, and leave "
            "torch._dynamo.config.disable alone in the model's code"
        )
    if config.suppress_errors:
        raise Unsupported(
            "torch._dynamo.config.suppress_errors is set, with which a model that cannot be compiled runs in "
            "eager mode: remove it from the model's code, and unset TORCHDYNAMO_SUPPRESS_ERRORS"
        )


def options_of_mode(mode: str) -> dict[str, Any]:
    """Return Inductor's options for a mode, because `torch.compile` takes a mode or options, never both."""
    from torch._inductor import list_mode_options

    options: dict[str, Any] = list_mode_options(mode)
    return options


def graph_breaks() -> list[str]:
    """Return why Dynamo gave the model back to Python in this process; `torch.compile` does not say it."""
    from torch._dynamo.utils import counters

    return [str(reason).partition("\n")[0] for reason in counters["graph_break"]]


def compile_ahead(program: "ExportedProgram", package: Path, settings: dict[str, Any]) -> None:
    """Compile a program to a package; torch documents this function, although its module is private."""
    from torch._inductor import aoti_compile_and_package

    aoti_compile_and_package(program, package_path=str(package), inductor_configs=settings)


def fresh_cache() -> AbstractContextManager[Any]:
    """Let Inductor compile in the block as if for the first time; otherwise, build times would be of a cache.

    The public switch is a variable of the environment, which Inductor reads when it is imported.
    """
    from torch._inductor.utils import fresh_cache

    return fresh_cache()


def load_compiled(folder: Path) -> "Callable[[Tensor], Tensor]":
    """Load an unpacked package of AOTInductor, with one runner.

    The public `aoti_load_package` takes no folder. It unpacks a file at each start to a temporary folder,
    which a killed process leaves behind.
    """
    import torch
    from torch.export.pt2_archive._package import AOTICompiledModel

    loader = torch._C._aoti.AOTIModelPackageLoader(str(folder), "model", False, 1, -1)
    model: Callable[[Tensor], Tensor] = AOTICompiledModel(loader)
    return model


def int8_product() -> "Callable[[Tensor, Tensor], Tensor]":
    """Return the product of int8 matrices with sums in int32; `torch.mm` sums in int8."""
    import torch

    product: Callable[[Tensor, Tensor], Tensor] = torch._int_mm
    return product
