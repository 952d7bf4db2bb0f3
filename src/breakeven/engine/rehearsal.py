"""The rehearsal before a measurement: it runs each variant once, compares outputs, and times some calls."""

import pickle
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.core.errors import Unsupported, UserError
from breakeven.engine.forkserver_client import WorkerFailed
from breakeven.engine.output_check import OFF, Check, difference
from breakeven.engine.samples import FAILED, UNSUPPORTED, WRONG
from breakeven.engine.settings import TWIN
from breakeven.engine.target import CallTarget, Variant
from breakeven.engine.worker_client import WorkerProcess
from breakeven.engine.worker_pool import WorkerPool

SHORT_CALL_MS = 0.01  # shorter calls are timed in loops, because reading the clock takes 0.0001 ms
LOOP_MS = 0.1  # length of such a loop


@dataclass
class Rehearsal:
    """The findings of a rehearsal."""

    variants: dict[str, Variant]  # the variants that work, with the libraries that fork servers import
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> verdict, reason
    call_ms: dict[str, float] = field(default_factory=dict)  # a rough estimate
    start_s: dict[str, float] = field(default_factory=dict)  # time of load and first call
    loop_ns: float | None = None  # time of one turn of the inner loop; None: calls are timed singly

    @property
    def loop_ms(self) -> float:
        """Return the time between two readings of the clock, milliseconds; 0 to read it after each call."""
        return LOOP_MS if self.loop_ns is not None else 0.0


def rehearse(
    variants: Mapping[str, Variant],
    hardware: Mapping[str, Any],
    images: Path,
    batch: int,
    check: Check,
    timeout_s: float,
    scratch: Path,
) -> Rehearsal:
    """Run every variant once, each in a process of its own, and compare the outputs with the baseline's.

    The baseline runs in two processes. If its own outputs differ, they say nothing about the variants. This
    test does not call a user's own check function, which may refuse two equal outputs.

    Args:
        images: a file with the inputs of artifacts.
        batch: the number of images in a call.
        check: the comparison of outputs; `OFF` skips it.
        timeout_s: the longest wait for a worker's answer, seconds.
        scratch: a folder for the outputs.

    Raises:
        UserError: the baseline fails, or its outputs differ between two processes.
    """
    base = next(iter(variants))
    result = Rehearsal({})
    outputs: dict[str, Any] = {}
    everyone = {base: variants[base], TWIN: variants[base], **variants} if check != OFF else dict(variants)
    with WorkerPool(hardware, timeout_s) as pool, ExitStack() as stack:
        for number, (name, variant) in enumerate(everyone.items()):
            copy = int(name == TWIN)
            try:
                worker = stack.enter_context(pool.worker(variant, copy))
                worker.answer()
                out = scratch / f"output-{number}"
                _run_once(name, variant, worker, images, batch, check, out, result)
                if check != OFF:
                    outputs[name] = _read(out, check)
                worker.suspend()
            except (WorkerFailed, Unsupported, UserError) as error:
                if name in (base, TWIN):
                    raise UserError(f"{base} ({variant}): {error}.") from None
                verdict = UNSUPPORTED if isinstance(error, Unsupported) else FAILED
                result.rejected[name] = verdict, str(error)
                result.variants.pop(name, None)
            if (
                name == TWIN
                and not callable(check)
                and (reason := difference(outputs[base], outputs[TWIN], check))
            ):
                raise UserError(
                    f"{base} ({variant}) returns something else in each process ({reason}), so that no "
                    "output can be compared with it: seed its random numbers, or turn the check off."
                )
    for name in list(result.variants):
        if check != OFF and name != base and (reason := difference(outputs[base], outputs[name], check)):
            result.rejected[name] = WRONG, reason
            del result.variants[name]
    return result


def _run_once(
    name: str,
    variant: Variant,
    worker: WorkerProcess,
    images: Path,
    batch: int,
    check: Check,
    out: Path,
    result: Rehearsal,
) -> None:
    call = isinstance(variant, CallTarget)
    loaded = worker.ask("load", images=str(images), batch_size=batch, compare=call and check != OFF)
    if check != OFF and call:
        worker.ask("output", path=str(out), raw=callable(check))
    elif check != OFF:
        worker.ask("predict", images=str(images), out=f"{out}.npy")
    if name == TWIN:
        return
    calls = worker.ask("warm_up", least=3, most=50, limit_ms=20)["calls_ms"]
    result.call_ms[name] = float(np.median(calls[len(calls) // 2 :]))
    result.start_s[name] = loaded["load_s"] + loaded["first_call_ms"] / 1000
    if isinstance(variant, CallTarget):
        if result.call_ms[name] < SHORT_CALL_MS:
            result.loop_ns = worker.ask("loop_cost")["loop_ns"]
        variant = replace(variant, preload=tuple(worker.ask("imported")["modules"]))
    result.variants[name] = variant


def _read(path: Path, check: Check) -> Any:
    """Return an output that a worker has written.

    Raises:
        UserError: this process cannot unpickle it.
    """
    if (logits := Path(f"{path}.npy")).is_file():
        return np.load(logits)
    try:
        return pickle.loads(path.read_bytes())
    except Exception as error:
        raise UserError(f"its output cannot be read here ({error}): turn the check off") from None
