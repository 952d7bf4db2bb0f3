"""A profile measured in a process of its own, on the cores of a hardware."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from breakeven.core import machine_lock
from breakeven.core.errors import Unsupported
from breakeven.core.files import temporary_folder
from breakeven.engine.isolated import IsolatedCalls
from breakeven.plugins.hardware.base import Hardware
from breakeven.plugins.runtimes.base import ExecutionContext, Runtime
from breakeven.results.time_profile import TimeProfile

LEAST_S, MOST_S = 0.2, 2.0  # to measure for
TIMEOUT_S = 600.0  # the runtime may compile
DEVICES = ("cpu",)  # torch's profiler would need the device's own clock elsewhere


@dataclass(frozen=True)
class ProfiledArtifact:
    """What is profiled, and where."""

    name: str  # of the variant
    runtime: Runtime
    folder: Path  # of the artifact, or of the model where the runtime runs the model's own code
    preprocessing: str  # "inside" or "outside"
    images: NDArray[Any]  # the inputs of a call
    hardware: Hardware


def profile(artifact: ProfiledArtifact, seconds: float, trace: Path | None = None) -> TimeProfile:
    """Return where the time of a call goes, measured in a new process while no other of ours measures.

    Args:
        seconds: to measure for.
        trace: the file for the operators of a call in time order, for Perfetto; None: none is written.

    Raises:
        Unsupported: the runtime has no profiler, or the hardware is no processor.
        Failed, UserError: the artifact cannot be loaded or called.
    """
    modules = ("breakeven.diagnosis.profile", *artifact.runtime.imports(artifact.folder))
    with (
        machine_lock.exclusive(),
        temporary_folder() as scratch,
        IsolatedCalls(modules, scratch, TIMEOUT_S) as calls,
    ):
        return calls.call(partial(_measure, artifact, seconds, trace and trace.resolve()))


def seconds_for(whole: float) -> float:
    """Return for how long to measure a profile in a study that measures for `whole` seconds."""
    return min(MOST_S, max(LEAST_S, whole))


def _measure(artifact: ProfiledArtifact, seconds: float, trace: Path | None) -> TimeProfile:
    from breakeven.diagnosis import profile as profiles
    from breakeven.diagnosis import trace as traces

    hardware, runtime = artifact.hardware, artifact.runtime
    context = ExecutionContext(hardware.device, hardware.threads, len(artifact.images))
    context.require(DEVICES, "a profile that adds up")
    if runtime.has_program:
        raise Unsupported("it runs in a program of its own, into which no profiler here looks")
    hardware.pin()
    runtime.start(artifact.folder, context)
    found = profiles.profile(
        artifact.name, runtime, context, artifact.folder, artifact.preprocessing, artifact.images, seconds
    )
    if trace:
        traces.write(runtime.load(artifact.folder, context, artifact.preprocessing), artifact.images, trace)
    return found
