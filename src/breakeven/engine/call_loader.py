"""A loader for callables in a worker: it imports, executes or unpickles one, and calls its factory once."""

import difflib
import importlib
import importlib.util
import inspect
import pickle
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from breakeven.core.errors import UserError
from breakeven.engine.target import CallTarget
from breakeven.plugins.hardware.base import Hardware

# Libraries that take long to import. The fork server imports those of them that the rehearsal found in use.
SLOW_IMPORTS = (
    *("numpy", "scipy", "pandas", "sklearn", "numba", "torch", "torchvision", "transformers"),
    *("onnxruntime", "openvino", "tensorflow", "jax"),
    *(
        "torch._dynamo",
        "torch._inductor.compile_fx",
    ),  # what `torch.compile` needs; their import starts no thread
)
INSTALL_FOLDERS = ("site-packages", "dist-packages")


class CallLoader:
    """The loader of one callable and its arguments."""

    def __init__(self, **spec: Any) -> None:
        self.target = CallTarget(**spec)

    def start(self, hardware: Hardware, affinity: dict[str, Any], cache: str) -> Sequence[str]:
        """Find the object that the target names, without calling its factory; return no command."""
        self.device = hardware.device
        sys.path[:0] = [path for path in self.target.paths if path not in sys.path[: len(self.target.paths)]]
        with _explained("cannot be imported"):
            self.object = self._find()
        return ()

    def _find(self) -> Any:
        target = self.target
        if target.kind == "pickle":
            return pickle.loads(Path(target.source).read_bytes())
        module = _execute(Path(target.source)) if target.kind == "file" else _import(target.source)
        origin = str(getattr(module, "__file__", None) or "")
        if target.within and not Path(origin).resolve().is_relative_to(Path(target.within).resolve()):
            raise UserError(
                f"{target.source} was loaded from {origin or 'Python itself'}, not from the other commit: "
                "--at needs a target that lies in this repository"
            )
        return _attribute(module, target.name, str(target))

    def read_inputs(self, images: str, batch_size: int, callers: int) -> None:
        """Read the arguments of a call from the target's own file; the parameters are for artifacts."""
        with _explained("its inputs cannot be read"):
            self.inputs = self._given()

    def _given(self) -> tuple[Any, ...]:
        return tuple(pickle.loads(Path(self.target.inputs).read_bytes()))

    def load(self) -> Any:
        """Return the callable to time: the target's object itself, or what its factory returns.

        An nn.Module moves to the device, in evaluation mode and without gradients.

        Raises:
            UserError: the factory fails, needs arguments, or returns an object that cannot be called.
        """
        call = self.object
        if not self.target.direct and not _is_module(call):
            call = self._factory_result()
        if _is_module(call):
            import torch

            # Inference mode lasts for the rest of this process, because entering it for each call would be
            # timed. It ends when the context object is deleted; an attribute keeps the object alive.
            self.inference_mode = torch.inference_mode()
            self.inference_mode.__enter__()
            call = call.to(self.device)
            call.eval()  # its result is not used: some override `train` without a return
            self.inputs = tuple(_as_tensor(value, self.device) for value in self.inputs)
        if not callable(call):
            raise UserError(
                f"its factory returned {_kind(call)}, which cannot be called: return a function, or time the "
                "function itself (--direct)"
            )
        return call

    def _factory_result(self) -> Any:
        if not callable(self.object):
            raise UserError(f"it is {_kind(self.object)}, which cannot be called")
        try:
            inspect.signature(self.object).bind()
        except TypeError as error:
            raise UserError(
                f"a factory is called without arguments ({error}): return the function to time from a "
                "factory, or time the function itself (--direct)"
            ) from None
        except ValueError:  # a callable written in C has no signature
            pass
        with _explained("its factory raised"):
            return self.object()

    def arguments(self) -> tuple[Any, ...]:
        """Return the arguments of each timed call."""
        return self.inputs

    def finish(self) -> None:
        """Do nothing: what a user's own callable does with its arguments is its own matter."""

    def keep_output(self, output: Any) -> None:
        """Keep the first output until `output` writes it."""
        self.first_output = output

    def output(self, path: str, raw: bool) -> dict[str, Any]:
        """Write the first output to a file.

        Args:
            raw: write the object itself, instead of nested builtins and numpy arrays.

        Raises:
            UserError: the output cannot be pickled, or holds an object that cannot be compared.
        """
        import cloudpickle

        from breakeven.engine.output_check import plain

        self._require_unchanged_inputs()
        value = self.first_output if raw else plain(self.first_output)
        del self.first_output
        try:
            Path(path).write_bytes(cloudpickle.dumps(value))
        except Exception as error:
            raise UserError(
                f"its output ({_kind(value)}) cannot be compared ({error}): set check off"
            ) from None
        return {}

    def _require_unchanged_inputs(self) -> None:
        """Raise a `UserError` if the call has changed its arguments; objects that nobody can compare pass."""
        from breakeven.engine.output_check import EQUAL, difference, plain

        try:
            changed = difference(plain(list(self._given())), plain(list(self.inputs)), EQUAL)
        except UserError:
            return
        if changed:
            raise UserError(
                "it changes its arguments, and the next call gets the changed ones: let it copy them, or set "
                "check off"
            )

    def imported(self) -> dict[str, Any]:
        """Return the slow libraries that this process has imported; fork servers import them in advance."""
        return {"modules": [name for name in SLOW_IMPORTS if self._installed(sys.modules.get(name))]}

    def _installed(self, module: ModuleType | None) -> bool:
        """Tell whether a module is installed; a fork server must not import a checkout's own copy of it."""
        return module is not None and any(part in (module.__file__ or "") for part in INSTALL_FOLDERS)


def _import(name: str) -> ModuleType:
    return importlib.import_module(name)


def _execute(path: Path) -> ModuleType:
    """Execute a file as a module. Its folder comes first on `sys.path`, as it does for a script."""
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    sys.path.insert(0, str(path.parent.resolve()))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UserError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _attribute(module: ModuleType, name: str, title: str) -> Any:
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            near = difflib.get_close_matches(part, dir(value), n=1)
            raise UserError(
                f"{title}: there is no {part!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
        value = getattr(value, part)
    return value


def _is_module(value: Any) -> bool:
    """Tell whether `value` is an nn.Module, without importing torch."""
    torch = sys.modules.get("torch.nn")
    return torch is not None and isinstance(value, torch.Module)


def _as_tensor(value: Any, device: str) -> Any:
    import numpy as np
    import torch

    if isinstance(value, np.ndarray):
        value = torch.from_numpy(value)
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _kind(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"a{'n' if name[0].lower() in 'aeiou' else ''} {name}"


@contextmanager
def _explained(what: str) -> Iterator[None]:
    """Turn an error of the user's code into a UserError whose message begins with `what`."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        text = str(error).strip().splitlines()
        raise UserError(
            f"{what}: {type(error).__name__}: {text[0][:300] if text else 'no message'}"
        ) from None
