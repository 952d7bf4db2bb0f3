"""The process that holds one variant: pins itself, loads the artifact, and does what its parent says.

Each command and each answer is one line of JSON in a pipe of its own, so that nothing a library prints can
get between them.
"""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven import artifact, option
from breakeven.errors import Unsupported, UserError
from breakeven.runtime.base import Session
from breakeven.scoring import Logits, in_batches


class Worker:
    """The commands; each method is one, takes the command's fields and gives the answer's."""

    session: Session
    input: Any
    peak: float = 0.0

    def start(self, hardware: dict[str, Any], folder: str) -> dict[str, Any]:
        """Pin, check the artifact in `folder`, ready the runtime; the memory held after that is the floor."""
        self.hardware = option.load("hardware", hardware, "hardware")
        self.affinity = self.hardware.pin()
        self.folder = Path(folder)
        self.card = artifact.read(self.folder)
        artifact.verify(self.folder, self.card.files)
        self.runtime = option.load("runtime", self.card.settings, f"runtimes.{self.card.runtime}")
        self.runtime.start(self.folder, self.hardware.threads)
        self.floor = self.hardware.memory_mb()
        return {}

    def load(self, images: str, batch_size: int) -> dict[str, Any]:
        """Load the artifact, and run it once on the first images of a file."""
        clock = self.hardware.clock_ns
        batch = self.card.inputs(np.ascontiguousarray(np.load(images, mmap_mode="r")[:batch_size]))
        started = clock()
        self.session = self.runtime.load(self.folder, self.hardware.threads, self.card.preprocessing)
        loaded = clock()
        self.input = self.session.prepare(batch)
        before = clock()
        self.session.run(self.input)
        self.hardware.synchronize()
        after = clock()
        self.peak = self.hardware.peak_memory_mb()
        return {
            "load_s": (loaded - started) / 1e9,
            "first_call_ms": (after - before) / 1e6,
            "affinity": self.affinity,
        }

    def predict(self, images: str, out: str, size: int) -> dict[str, Any]:
        """Logits of all images of a file, written to another."""
        session = self.session

        def predict(batch: NDArray[np.uint8]) -> Logits:
            inputs = session.prepare(self.card.inputs(np.ascontiguousarray(batch)))
            return session.result(session.run(inputs))

        logits = in_batches(predict, np.load(images, mmap_mode="r"), size)
        np.save(out, logits)
        return {"count": len(logits)}

    def block(self, calls: int) -> dict[str, Any]:
        """Time `calls` calls, each on its own; one call before them is not counted."""
        run, wait, clock, inputs = (
            self.session.run,
            self.hardware.synchronize,
            self.hardware.clock_ns,
            self.input,
        )
        run(inputs)  # the caches are another worker's
        wait()
        usage, stolen = resource.getrusage(resource.RUSAGE_SELF), self.hardware.steal_ms()
        cpu = time.process_time_ns()
        times = [0] * (calls + 1)
        times[0] = clock()
        for call in range(calls):
            run(inputs)
            wait()
            times[call + 1] = clock()
        cpu = time.process_time_ns() - cpu
        after = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "calls_ms": (np.diff(times) / 1e6).tolist(),
            "cpu_ms": cpu / 1e6,
            "switches": after.ru_nivcsw - usage.ru_nivcsw,
            "steal_ms": self.hardware.steal_ms() - stolen,
        }

    def memory(self) -> dict[str, Any]:
        """Peak memory above what the imports took."""
        peak = max(self.peak, self.hardware.peak_memory_mb())
        return {"peak_memory_mb": max(peak - self.floor, 0.0)}


def main(commands: int, answers: int) -> None:
    """Serve until the parent closes the pipe."""
    with os.fdopen(commands) as lines, os.fdopen(answers, "w", buffering=1) as pipe:
        worker = Worker()
        for line in lines:
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
            pipe.write(json.dumps(answer) + "\n")
