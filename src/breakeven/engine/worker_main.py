"""The process that holds one variant: pins itself, loads the artifact, and does what its parent says.

Each command and each answer is one line of JSON in a pipe of its own, so that nothing a library prints can
get between them.
"""

import json
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts import artifact, operators
from breakeven.artifacts.inference import Logits, predict_in_batches, safe_batch_size
from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.engine.block_counters import BlockCounters
from breakeven.plugins.runtimes.base import ExecutionContext, Session

# Share of the largest logit. Kernels for another number of threads or another device add up in another order;
# what computes something else is off by far more.
SAME_OUTPUT = 0.05


class Worker:
    """The commands; each method is one, takes the command's fields and gives the answer's."""

    session: Session
    input: Any
    peak: float = 0.0
    program: Sequence[str] = ()  # that goes on in this process, instead of Python

    def start(self, hardware: dict[str, Any], folder: str, cache: str) -> dict[str, Any]:
        """Pin, check the artifact in `folder`, ready the runtime; the memory held after that is the floor.

        Args:
            cache: a folder for what the runtime compiles.
        """
        self.hardware = plugin.load("hardware", hardware, "hardware")
        self.affinity = self.hardware.pin()
        self.folder = Path(folder)
        self.card = artifact.read(self.folder)
        artifact.verify(self.folder, self.card.files)
        self.runtime = plugin.load("runtimes", self.card.settings, f"runtimes.{self.card.runtime}")
        os.environ |= dict.fromkeys(self.runtime.caches, cache)
        self.warm = any(Path(cache).iterdir())
        self.place = ExecutionContext(self.hardware.device, self.hardware.threads)
        self.runtime.start(self.folder, self.place)
        self.program = self.runtime.command(self.folder, self.place, self.affinity)
        self.floor = self.hardware.memory_mb()
        return {}

    def load(self, images: str, batch_size: int, compare: bool, callers: int = 1) -> dict[str, Any]:
        """Load the artifact, and run it once on the first images of a file.

        Args:
            callers: threads that will share it.
            compare: these are the images that the artifact was scored with.

        Raises:
            UserError: its outputs are not what they were then.
        """
        clock = self.hardware.clock_ns
        first = np.load(images, mmap_mode="r")[:batch_size]
        batch = np.ascontiguousarray(self.card.inputs(first))
        self.place = replace(self.place, batch=batch_size, callers=callers)
        started = clock()
        self.session = self.runtime.load(self.folder, self.place, self.card.preprocessing)
        self.hardware.synchronize()
        loaded = clock()
        self.input = self.session.prepare(batch)
        self.hardware.synchronize()
        before = clock()
        output = self.session.run(self.input)
        self.hardware.synchronize()
        after = clock()
        self.peak = self.hardware.peak_memory_mb()
        if compare:
            alone = self.card.scored_by(batch_size) < batch_size
            self._compare(self._logits(first) if alone else self.session.result(output))
        return {
            "load_s": (loaded - started) / 1e9,
            "first_call_ms": (after - before) / 1e6,
            "affinity": self.affinity,
            "warm": self.warm,
        }

    def _compare(self, logits: Logits) -> None:
        known = np.load(self.folder / artifact.LOGITS, mmap_mode="r")
        known = known[np.arange(len(logits)) % len(known)]
        error = float(np.abs(logits - known).max() / np.abs(known).max())
        if not error <= SAME_OUTPUT:
            raise UserError(
                f"its outputs are off by {error:.2g} of the largest from those that it was scored with"
            )

    def predict(self, images: str, out: str) -> dict[str, Any]:
        """Logits of all images of a file, written to another."""
        logits = self._logits(np.load(images, mmap_mode="r"))
        np.save(out, logits)
        return {"count": len(logits)}

    def _logits(self, images: NDArray[np.uint8]) -> Logits:
        """Of all of them, in batches as when it is scored."""
        size = self.card.scored_by(safe_batch_size(images, self.runtime.batch))

        def predict(batch: NDArray[np.uint8]) -> Logits:
            whole = batch[np.arange(size) % len(batch)]  # some runtimes compile for each size
            return self.session.logits(self.card.inputs(whole))[: len(batch)]

        return predict_in_batches(predict, images, size)

    def profile(self, images: str, calls: int) -> dict[str, Any]:
        """What the first image of a file takes, operator by operator, and what else is known of it."""
        inputs = self.card.inputs(np.ascontiguousarray(np.load(images, mmap_mode="r")[:1]))
        self.session.run(self.session.prepare(inputs))  # of another shape than the last
        facts = {"facts": self.runtime.execution_details(self.folder, self.place)}
        try:
            found = self.runtime.profile(self.folder, self.place, self.session, inputs, calls)
        except Unsupported as error:
            return {**facts, "kernels_reason": str(error)}
        return {**facts, "kernels": [asdict(kernel) for kernel in operators.merge(found)]}

    def warm_up(self, least: int, most: int, limit_ms: float) -> dict[str, Any]:
        """Call until `limit_ms` have passed, at least and at most so often; each call's time."""
        times: list[float] = []
        while len(times) < least or (len(times) < most and sum(times) < limit_ms):
            times += self._calls(1)
        return {"calls_ms": times}

    def settle(self, calls: int) -> dict[str, Any]:
        """Calls that are not timed: the caches were another worker's."""
        self._calls(calls)
        return {}

    def block(self, calls: int, settle: int, callers: int) -> dict[str, Any]:
        """Time each of `calls` calls by each of `callers` threads, after `settle` of its own."""
        meter = BlockCounters(self.hardware)
        if callers == 1:
            self._calls(settle)
            meter.start()
            times = self._calls(calls)
            wall = sum(times)
        else:
            times, wall = self._crowd(calls, settle, callers, meter)
        return {"calls_ms": times, "wall_ms": wall, **meter.stop()}

    def _calls(self, calls: int) -> list[float]:
        """The time of each call, milliseconds."""
        run, inputs = self.session.run, self.input
        wait, clock = self.hardware.synchronize, self.hardware.clock_ns
        times = [0] * (calls + 1)
        times[0] = clock()
        for call in range(calls):
            run(inputs)
            wait()
            times[call + 1] = clock()
        milliseconds: list[float] = (np.diff(times) / 1e6).tolist()
        return milliseconds

    def _crowd(
        self, calls: int, settle: int, callers: int, meter: BlockCounters
    ) -> tuple[list[float], float]:
        """The same by several threads at once, which share the session; and the time from first to last."""
        clock, together = self.hardware.clock_ns, threading.Barrier(callers, action=meter.start)

        def caller(_: int) -> tuple[int, list[float], int]:
            try:
                self._calls(settle)  # a library may have to set up something for each thread
            except BaseException:
                together.abort()  # or the others would wait for this one
                raise
            together.wait()
            return clock(), self._calls(calls), clock()

        with ThreadPoolExecutor(callers) as pool:
            crowd = [pool.submit(caller, number) for number in range(callers)]
        failed = [error for one in crowd if (error := one.exception())]
        if failed:  # those that waited for it know nothing of the cause
            raise next((e for e in failed if not isinstance(e, threading.BrokenBarrierError)), failed[0])
        starts, times, ends = zip(*(one.result() for one in crowd), strict=True)
        return [call for own in times for call in own], (max(ends) - min(starts)) / 1e6

    def memory(self) -> dict[str, Any]:
        """Peak memory above what the imports took."""
        peak = max(self.peak, self.hardware.peak_memory_mb())
        return {"peak_memory_mb": max(peak - self.floor, 0.0)}


def main(commands: int, answers: int) -> None:
    """Serve until the parent closes the pipe."""
    # Without a buffer: what was not asked for yet may be another program's to read.
    with os.fdopen(commands, "rb", buffering=0) as lines, os.fdopen(answers, "w", buffering=1) as pipe:
        worker = Worker()
        while line := lines.readline():
            command = json.loads(line)
            try:
                answer: dict[str, Any] = getattr(worker, command.pop("do"))(**command)
            except Unsupported as error:
                answer = {"unsupported": str(error)}
            except UserError as error:
                answer = {"error": str(error)}
            except Exception as error:
                text = str(error).strip().splitlines()
                answer = {"error": f"{type(error).__name__}: {text[0][:300] if text else ''}"}
            if worker.program:
                _become(worker.program, commands, answers)
            pipe.write(json.dumps(answer) + "\n")


def _become(program: Sequence[str], commands: int, answers: int) -> None:
    """Go on as another program, which answers the last command and all that follow."""
    os.set_inheritable(commands, True)
    os.set_inheritable(answers, True)
    os.execv(program[0], [program[0], str(commands), str(answers), *program[1:]])
