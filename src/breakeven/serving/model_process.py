"""A variant in a process of its own, seen from the service: a crash or a hang costs that process only."""

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.records import fields_of
from breakeven.serving import model_main

PIPE_BYTES = 32 * 1024  # that a pipe surely takes while nobody reads


class Cause(StrEnum):
    """Why a variant gives no answer, as counters and headers name it."""

    STARTING = "starting"  # it is being loaded, again maybe
    NOT_LOADED = "not-loaded"
    RAISED = "raised"
    HUNG = "hung"
    DIED = "died"
    NOT_FINITE = "not-finite"
    PAUSED = "paused"  # it failed too often, and is not asked for a while


class NoAnswer(Exception):
    """A variant that gives no answer."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause = cause


class ModelProcess:
    """One process that runs a variant; a new one takes the place of one that ended."""

    def __init__(self, folder: Path, threads: int, warm_up: Sequence[Any], start_limit_s: float) -> None:
        """Start nothing yet.

        Args:
            folder: of the artifact.
            warm_up: samples of each size that the process calls before it is ready.
            start_limit_s: the longest time until it is ready, seconds.
        """
        self._arguments = folder, threads, [*warm_up]
        self._start_limit_s = start_limit_s
        self._context = multiprocessing.get_context("spawn")
        self._lock = threading.Lock()  # of the pipe: one call at a time
        self._process: Any = None
        self._channel: Any = None
        self._ready = threading.Event()
        self._closed = False
        self.reason = "it is being loaded"  # why it is not ready

    @property
    def is_ready(self) -> bool:
        """Return whether the process can answer."""
        return self._ready.is_set()

    @property
    def pid(self) -> int:
        """Return the process id; 0 if there is none."""
        process = self._process  # another thread may end it meanwhile
        return process.pid or 0 if process is not None else 0

    def start(self) -> bool:
        """Start a process if none is ready, and wait until it is. Return whether one is ready."""
        with self._lock:
            if self.is_ready or self._closed:
                return self.is_ready
            try:
                self._fork()
                kind, said = self._receive(self._start_limit_s)
            except NoAnswer as error:
                kind, said = model_main.FAILED, str(error)
            except OSError as error:  # no memory or process is left; a later start may succeed
                kind, said = model_main.FAILED, f"no process can be started: {error}"
            if kind != model_main.READY:
                self.reason = said
                self._end()
                return False
            self.reason = ""
            self._ready.set()
            return True

    def _fork(self) -> None:
        self._end()
        ours, theirs = self._context.Pipe()
        folder, threads, warm_up = self._arguments
        process = self._context.Process(
            target=model_main.run, args=(theirs, os.getpid(), folder, threads, warm_up), daemon=True
        )
        try:
            process.start()
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._process, self._channel = process, ours

    def call(self, samples: NDArray[Any], limit_s: float) -> NDArray[Any]:
        """Return the model's outputs for some samples.

        Raises:
            NoAnswer: the process is not ready, fails, takes longer than `limit_s`, or dies; or its outputs
                are not finite.
        """
        if not self.is_ready:  # a start holds the lock for seconds
            raise NoAnswer(Cause.STARTING, self.reason)
        with self._lock:
            if not self.is_ready:
                raise NoAnswer(Cause.STARTING, self.reason)
            try:
                self._send(samples, limit_s)
                kind, answer = self._receive(limit_s)
            except NoAnswer as error:
                self.reason = str(error)
                self._end()
                raise
            except OSError:
                self.reason = f"its process ended with code {self._end()}"
                raise NoAnswer(Cause.DIED, self.reason) from None
        if kind == model_main.FAILED:
            raise NoAnswer(Cause.RAISED, answer)
        outputs: NDArray[Any] = answer
        if not all(np.isfinite(field).all() for field in fields_of(outputs)):
            raise NoAnswer(Cause.NOT_FINITE, "its outputs are not finite")
        return outputs

    def _send(self, samples: NDArray[Any], limit_s: float) -> None:
        """Send samples; a process that does not take them in time is killed."""
        if samples.nbytes < PIPE_BYTES:
            self._channel.send(samples)
            return
        killer = threading.Timer(limit_s, self._process.kill)
        killer.start()
        try:
            self._channel.send(samples)
        finally:
            killer.cancel()

    def _receive(self, limit_s: float) -> tuple[str, Any]:
        try:
            if not self._channel.poll(limit_s):
                raise NoAnswer(Cause.HUNG, f"no answer within {limit_s:g} s")
            kind, answer = self._channel.recv()
            return kind, answer
        except (EOFError, ConnectionError):
            self._process.join(1.0)
            code = self._process.exitcode
            raise NoAnswer(Cause.DIED, f"its process ended with code {code}") from None

    def _end(self) -> int | None:
        """Kill the process, if there is one, and return its exit code."""
        self._ready.clear()
        if self._process is None:
            return None
        self._process.kill()
        self._process.join()
        self._channel.close()
        code: int | None = self._process.exitcode
        self._process = None
        return code

    def close(self) -> None:
        """End the process for good, with the call that may go on."""
        self._closed = True
        process = self._process
        if process is not None:
            with contextlib.suppress(ValueError):  # another thread has closed it
                process.kill()
        with self._lock:
            self._end()
