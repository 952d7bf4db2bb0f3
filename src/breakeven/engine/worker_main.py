"""The process that holds one variant: it pins itself, loads the variant, and executes its parent's commands.

Commands come through one pipe and answers go through another, one line of JSON each. What libraries print
goes to a log instead, and cannot mix with the answers.
"""

import json
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

from breakeven.core import plugin
from breakeven.core.errors import Unsupported, UserError, WrongOutput
from breakeven.core.toolchain_errors import in_words, is_of_the_machine
from breakeven.engine.block_counters import BlockCounters
from breakeven.engine.sentinel import Sentinel


class Worker:
    """The commands of a worker: each method takes a command's fields and returns the answer's fields.

    The loader loads the target and provides the callable; this class times the calls. The loader executes
    the commands that are no method of this class.
    """

    loader: Any
    call: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    inner: int = 1  # calls between two readings of the clock
    peak: float = 0.0
    replacement_program: Sequence[str] = ()  # the command of a program that replaces Python

    def start(self, hardware: dict[str, Any], target: dict[str, Any], cache: str) -> dict[str, Any]:
        """Pin the process, and start the loader of `target`.

        Peak memory counts from what the process holds after this command.

        Args:
            cache: a folder for files that a runtime compiles.
        """
        self.hardware = plugin.load("hardware", hardware, "hardware")
        self.affinity = self.hardware.pin()
        self.loader = _loader(**target)
        self.warm = any(Path(cache).iterdir())
        self.replacement_program = self.loader.start(self.hardware, self.affinity, cache)
        self.sentinel = Sentinel()
        self.floor = self.hardware.memory_mb()
        return {}

    def load(
        self, images: str, batch_size: int, compare: bool, callers: int = 1, loop_ms: float = 0.0
    ) -> dict[str, Any]:
        """Load the target, call it once, and return the time of both.

        Args:
            images: a file with an artifact's inputs.
            batch_size: the number of images in a call of an artifact.
            callers: threads that will share the loaded target.
            compare: make the loader keep the first output, or check it if the target is an artifact.
            loop_ms: let this time pass between two readings of the clock; 0: read it after each call.

        Raises:
            WrongOutput: an artifact's outputs differ from those of its scoring.
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
        """Return how many calls take this time: double the number until they take half of it, then scale."""
        count = 1
        while True:
            took = self._loop_ns(count) / 1e6
            if took >= milliseconds / 2:
                return max(1, round(count * milliseconds / took))
            count *= 2

    def loop_cost(self) -> dict[str, Any]:
        """Return the time of one turn of the empty inner loop, nanoseconds: the best of five trials."""
        clock, turns = self.hardware.clock_ns, 100_000
        times = []
        for _ in range(5):
            started = clock()
            for _ in repeat(None, turns):
                pass
            times.append(clock() - started)
        return {"loop_ns": min(times) / turns}

    def warm_up(self, least: int, most: int, limit_ms: float) -> dict[str, Any]:
        """Call until `limit_ms` have passed, and return each call's time, milliseconds.

        Args:
            least: the fewest readings of the clock, each after `inner` calls.
            most: the most readings.
        """
        times: list[float] = []
        while len(times) < least or (len(times) < most and self.inner * sum(times) < limit_ms):
            times += self._calls(1)
        return {"calls_ms": times}

    def inputs(self, first: int) -> dict[str, Any]:
        """Prepare other inputs for the calls that follow.

        Args:
            first: the number of the first image in the file that `load` was given.
        """
        self.arguments = ()  # so that memory does not hold both
        self.arguments = self.loader.arguments(first)
        self.hardware.synchronize()
        return {}

    def settle(self, calls: int) -> dict[str, Any]:
        """Make untimed calls, which refill the processor's caches after another worker's block."""
        self._calls(calls)
        return {}

    def move(self, cores: list[int]) -> dict[str, Any]:
        """Bind all threads of this process to these cores."""
        for thread in Path("/proc/self/task").iterdir():
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(int(thread.name), cores)
        return {}

    def block(self, calls: int, settle: int, callers: int, after: int = 0) -> dict[str, Any]:
        """Let each of `callers` threads make `settle` untimed calls, then time its next `calls` calls.

        The answer holds all times, the wall time of the block, and the counters of the block. It also holds
        how fast the machine was before the uncounted calls and after the block. Without uncounted calls, the
        sentinel would empty the processor's caches just before the timed ones; then the answer holds neither.

        Args:
            after: untimed calls after the timed ones, so that another process is not alone for its last ones.
        """
        before = [self.sentinel.ms()] if settle else []
        meter = BlockCounters(self.hardware)
        if callers == 1:
            self._calls(settle)
            meter.start()
            times = self._calls(calls)
            wall = self.inner * sum(times)
        else:
            times, wall = self._crowd(calls, settle, callers, meter)
        counters = meter.stop()
        self._calls(after)
        return {
            "calls_ms": times,
            "wall_ms": wall,
            **counters,
            "sentinel_ms": before and [*before, self.sentinel.ms()],
        }

    def _calls(self, calls: int) -> list[float]:
        """Return the time of each call, milliseconds; with an inner loop, the mean call of each loop."""
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

        There are separate loops for 0 and 1 arguments, because unpacking takes as long as a short call.
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
        """Time calls of several threads at once, which share the session.

        Return the times of all calls, and the time from the first start to the last end, milliseconds.
        """
        clock, together = self.hardware.clock_ns, threading.Barrier(callers, action=meter.start)

        def caller(_: int) -> tuple[int, list[float], int]:
            try:
                self._calls(settle)  # a library may set up resources for each thread
            except BaseException:
                together.abort()  # otherwise the other threads wait for this one
                raise
            together.wait()
            return clock(), self._calls(calls), clock()

        with ThreadPoolExecutor(callers) as pool:
            crowd = [pool.submit(caller, number) for number in range(callers)]
        failed = [error for one in crowd if (error := one.exception())]
        if failed:  # a BrokenBarrierError is only the consequence of another error
            raise next((e for e in failed if not isinstance(e, threading.BrokenBarrierError)), failed[0])
        starts, times, ends = zip(*(one.result() for one in crowd), strict=True)
        return [call for thread_times in times for call in thread_times], (max(ends) - min(starts)) / 1e6

    def call_function(self, function: str, result: str) -> dict[str, Any]:
        """Call the function that is pickled in one file, and write its result to another."""
        import_module("breakeven.engine.isolated").call_pickled(Path(function), Path(result))
        return {}

    def memory(self) -> dict[str, Any]:
        """Return the peak memory above the level after `start`, 10**6 bytes; the last command of a replicate.

        Raises:
            UserError: the calls changed what they were timed with.
        """
        peak = max(self.peak, self.hardware.peak_memory_mb())
        self.loader.finish()
        return {"peak_memory_mb": max(peak - self.floor, 0.0)}


def _loader(kind: str, **spec: Any) -> Any:
    """Return the loader for a target. Imports only its module, which the fork server often has imported."""
    if kind == "artifact":
        return import_module("breakeven.engine.artifact_loader").ArtifactLoader(**spec)
    return import_module("breakeven.engine.call_loader").CallLoader(kind=kind, **spec)


def main(commands: int, answers: int) -> None:
    """Answer commands until the parent closes the pipe.

    Args:
        commands: the file descriptor of the pipe to read from.
        answers: the file descriptor of the pipe to write to.
    """
    # Unbuffered, because a replacement program reads the commands that follow.
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
            except WrongOutput as error:
                answer = {"wrong": str(error)}
            except Exception as error:
                answer = {"error": in_words(error), "raised": not is_of_the_machine(error)}
            if worker.replacement_program:
                _become(worker.replacement_program, commands, answers)
            pipe.write(json.dumps(answer) + "\n")


def _become(program: Sequence[str], commands: int, answers: int) -> None:
    """Replace this process by another program, which answers the last command and all later ones."""
    os.set_inheritable(commands, True)
    os.set_inheritable(answers, True)
    os.execv(program[0], [program[0], str(commands), str(answers), *program[1:]])
