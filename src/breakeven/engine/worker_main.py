"""The process that holds one variant: it pins itself, loads the variant, and does what its parent says.

Each command and each answer is one line of JSON in a pipe of its own, so that nothing a library prints can
get between them.
"""

import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.engine.block_counters import BlockCounters


class Worker:
    """Answer the commands; each method is one, takes the command's fields and returns the answer's.

    The loader says what is loaded and called; this class only times it. Commands that are no method of this
    class are the loader's own.
    """

    loader: Any
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    inner: int = 1  # calls between two readings of the clock
    peak: float = 0.0
    replacement_program: Sequence[str] = ()  # that goes on in this process, instead of Python

    def start(self, hardware: dict[str, Any], target: dict[str, Any], cache: str) -> dict[str, Any]:
        """Pin the process and start the loader of `target`; the memory held after that is the floor.

        Args:
            cache: a folder for what a runtime compiles.
        """
        self.hardware = plugin.load("hardware", hardware, "hardware")
        self.affinity = self.hardware.pin()
        self.loader = _loader(**target)
        self.warm = any(Path(cache).iterdir())
        self.replacement_program = self.loader.start(self.hardware, self.affinity, cache)
        self.floor = self.hardware.memory_mb()
        return {}

    def load(
        self, images: str, batch_size: int, compare: bool, callers: int = 1, loop_ms: float = 0.0
    ) -> dict[str, Any]:
        """Load the target, and call it once.

        Args:
            images: a file with an artifact's inputs.
            callers: threads that will share it.
            compare: have the loader check or keep the first output.
            loop_ms: let this time pass between two readings of the clock; 0: read it after each call.

        Raises:
            UserError: an artifact's outputs are not those that it was scored with.
        """
        clock = self.hardware.clock_ns
        self.loader.read_inputs(images, batch_size, callers)
        started = clock()
        self.call = self.loader.load()
        self.hardware.synchronize()
        loaded = clock()
        self.arguments = self.loader.arguments()
        self.hardware.synchronize()
        before = clock()
        output = self.call(*self.arguments)
        self.hardware.synchronize()
        after = clock()
        self.peak = self.hardware.peak_memory_mb()
        if compare:
            self.loader.keep_output(output)
        del output
        if loop_ms:
            self.inner = self._calls_in(loop_ms)
        return {
            "load_s": (loaded - started) / 1e9,
            "first_call_ms": (after - before) / 1e6,
            "affinity": self.affinity,
            "warm": self.warm,
            "inner": self.inner,
        }

    def _calls_in(self, milliseconds: float) -> int:
        """Return how many calls fill a time, found by doubling."""
        count = 1
        while True:
            took = self._loop_ns(count) / 1e6
            if took >= milliseconds / 2:
                return max(1, round(count * milliseconds / took))
            count *= 2

    def loop_cost(self) -> dict[str, Any]:
        """Return what one turn of the inner loop takes without a call, in nanoseconds: the best of five."""
        clock, turns = self.hardware.clock_ns, 100_000
        times = []
        for _ in range(5):
            started = clock()
            for _ in repeat(None, turns):
                pass
            times.append(clock() - started)
        return {"loop_ns": min(times) / turns}

    def warm_up(self, least: int, most: int, limit_ms: float) -> dict[str, Any]:
        """Call until `limit_ms` have passed, at least and at most so often; return each call's time."""
        times: list[float] = []
        while len(times) < least or (len(times) < most and self.inner * sum(times) < limit_ms):
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
            wall = self.inner * sum(times)
        else:
            times, wall = self._crowd(calls, settle, callers, meter)
        return {"calls_ms": times, "wall_ms": wall, **meter.stop()}

    def _calls(self, calls: int) -> list[float]:
        """Return the time of each call, milliseconds; with an inner loop, of one call of each turn."""
        if self.inner > 1:
            return [self._loop_ns(self.inner) / 1e6 / self.inner for _ in range(calls)]
        call, arguments = self.call, self.arguments
        wait, clock = self.hardware.synchronize, self.hardware.clock_ns
        times = [0] * (calls + 1)
        times[0] = clock()
        for number in range(calls):
            call(*arguments)
            wait()
            times[number + 1] = clock()
        return [(after - before) / 1e6 for before, after in pairwise(times)]

    def _loop_ns(self, count: int) -> int:
        """Return the time of `count` calls between two readings of the clock.

        The loops are written out because unpacking arguments takes as long as a short call.
        """
        call, arguments, clock = self.call, self.arguments, self.hardware.clock_ns
        turns = repeat(None, count)
        if not arguments:
            started = clock()
            for _ in turns:
                call()
        elif len(arguments) == 1:
            (only,) = arguments
            started = clock()
            for _ in turns:
                call(only)
        else:
            started = clock()
            for _ in turns:
                call(*arguments)
        self.hardware.synchronize()
        return int(clock() - started)

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


def _loader(kind: str, **spec: Any) -> Any:
    """Return the loader for a target; only one of the two modules is imported, often before the fork."""
    if kind == "artifact":
        return import_module("breakeven.engine.artifact_loader").ArtifactLoader(**spec)
    return import_module("breakeven.engine.call_loader").CallLoader(kind=kind, **spec)


def main(commands: int, answers: int) -> None:
    """Serve until the parent closes the pipe."""
    # Without a buffer: what was not asked for yet may be another program's to read.
    with os.fdopen(commands, "rb", buffering=0) as lines, os.fdopen(answers, "w", buffering=1) as pipe:
        worker = Worker()
        while line := lines.readline():
            command = json.loads(line)
            try:
                verb = command.pop("do")
                method = getattr(worker, verb, None) or getattr(worker.loader, verb)
                answer: dict[str, Any] = method(**command)
            except Unsupported as error:
                answer = {"unsupported": str(error)}
            except UserError as error:
                answer = {"error": str(error)}
            except Exception as error:
                text = str(error).strip().splitlines()
                answer = {"error": type(error).__name__ + (f": {text[0][:300]}" if text else "")}
            if worker.replacement_program:
                _become(worker.replacement_program, commands, answers)
            pipe.write(json.dumps(answer) + "\n")


def _become(program: Sequence[str], commands: int, answers: int) -> None:
    """Go on as another program, which answers the last command and all that follow."""
    os.set_inheritable(commands, True)
    os.set_inheritable(answers, True)
    os.execv(program[0], [program[0], str(commands), str(answers), *program[1:]])
