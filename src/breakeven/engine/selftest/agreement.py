"""The agreement of the engine with OpenVINO's benchmark_app and a bare loop, and its own overhead."""

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from breakeven.engine.selftest.models import Model, write
from breakeven.engine.settings import SINGLE_STREAM, Budget
from breakeven.engine.variant_processes import VariantProcesses
from breakeven.engine.worker_main import Worker
from breakeven.engine.worker_pool import WorkerPool
from breakeven.plugins.hardware.cpu import Cpu

BATCH_1 = 1


def engine_p50_ms(folder: Path, images: Path, seconds: float) -> float:
    """Return the median call of one worker, timed in the engine's blocks, milliseconds."""
    calls: list[float] = []
    with WorkerPool({"name": "cpu", "threads": 1}, 60) as pool, pool.worker(folder) as worker:
        processes = VariantProcesses([worker], SINGLE_STREAM)
        processes.load(0, images, compare=False, budget=Budget())
        while sum(calls) < 1000 * seconds:
            calls += processes.block(0).calls_ms
    return float(np.median(calls))


def benchmark_app_p50_ms(folder: Path, images: Path, seconds: float) -> float:
    """Return the median latency that OpenVINO's benchmark_app reports for one thread, milliseconds."""
    tool = Path(sysconfig.get_path("scripts")) / "benchmark_app"
    command = f"{tool} -m {folder / 'model.xml'} -d CPU -api sync -hint none -nstreams 1 -nthreads 1"
    shape = [*np.load(images, mmap_mode="r").shape]  # a worker compiles for this shape
    options = f"-infer_precision f32 -t {max(1, round(seconds))} -shape {shape}".replace(", ", ",")
    done = subprocess.run(
        [*command.split(), *options.split()],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=_first_core,
    )
    # benchmark_app's report file has two decimals, too few for a call of 0.1 ms; its log has more.
    match = re.search(r"Median:\s+([\d.]+) (us|ms)", done.stdout)
    assert match, done.stdout[-500:]
    return float(match[1]) / (1000 if match[2] == "us" else 1)


def bare_loop_p50_ms(folder: Path, images: Path, seconds: float) -> float:
    """Return the median call of a simple loop around ONNX Runtime in a separate process, milliseconds."""
    command = [
        sys.executable,
        "-m",
        "breakeven.engine.selftest.bare_loop",
        str(folder / "model.onnx"),
        str(seconds),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=_first_core)
    return float(done.stdout)


def ratios(
    model: Model,
    runtime: str,
    tool: Callable[[Path, Path, float], float],
    pairs: int,
    scratch: Path,
    seed: int,
    seconds: float = 2.0,
) -> list[float]:
    """Return the engine's median call over the tool's, one ratio for each pair of runs on one artifact.

    Args:
        tool: a function that takes an artifact, a file of images and seconds, and returns milliseconds.
        pairs: the number of pairs.
        scratch: a folder for the artifact and the images.
        seed: an even or odd number, which decides who is first in the first pair.
        seconds: the time of each run.
    """
    folder = scratch / f"agreement-{model.name}-{runtime}"
    if not folder.exists():
        write(model, runtime, folder)
    images = scratch / f"{model.name}.npy"
    np.save(images, model.images(BATCH_1))
    p50_ratios = []
    for pair in range(pairs):
        # Engine and tool take turns in being first.
        turns = [engine_p50_ms, tool] if (seed + pair) % 2 else [tool, engine_p50_ms]
        p50 = {turn: turn(folder, images, seconds) for turn in turns}
        p50_ratios.append(p50[engine_p50_ms] / p50[tool])
    return p50_ratios


def overhead_us(calls: int = 20_000, repeats: int = 9) -> list[float]:
    """Return what the harness adds to a call, microseconds, one number for each repeat.

    It is the time for one call of a function that does nothing.
    """
    worker = Worker()
    worker.hardware = Cpu(name="cpu", threads=1)
    worker.call, worker.arguments = (lambda inputs: None), (None,)
    overheads = []
    for _ in range(repeats):
        started = perf_counter_ns()
        worker._calls(calls)
        overheads.append((perf_counter_ns() - started) / calls / 1000)
    return overheads


def _first_core() -> None:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
