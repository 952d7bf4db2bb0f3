"""The process that holds one variant: pins itself, loads the artifact, and does what its parent says.

Started as `python -m breakeven.measure.worker COMMANDS ANSWERS` with two inherited pipes. Each command and
each answer is one line of JSON, so that nothing a library prints can get between them.
"""

import json
import os
import resource
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven import artifact, option
from breakeven.errors import Unsupported, UserError
from breakeven.runtime.base import Session


class Worker:
    """The commands; each method is one, takes the command's fields and gives the answer's."""

    def __init__(self, hardware: dict[str, Any]) -> None:
        self.hardware = option.load("hardware", hardware, "hardware")
        self.facts = self.hardware.pin()  # before any runtime is imported
        self.session: Session | None = None
        self.card: artifact.Artifact | None = None
        self.input: Any = None

    def load(self, folder: str, images: str, batch_size: int) -> dict[str, Any]:
        """Import the runtime, load the artifact, and run it once on the first images of a file."""
        where = Path(folder)
        self.card = card = artifact.read(where)
        artifact.verify(where, card.files)
        runtime = option.load("runtime", card.settings, f"runtimes.{card.runtime}")
        clock = self.hardware.clock_ns
        started = clock()
        runtime.start(self.hardware.threads)
        imported = clock()
        floor = self.hardware.memory_mb()
        begun = clock()
        self.session = session = runtime.load(where, self.hardware.threads, card.preprocessing)
        loaded = clock()
        batch = np.load(images, mmap_mode="r")[:batch_size]
        self.input = session.prepare(card.inputs(np.ascontiguousarray(batch)))
        before = clock()
        session.run(self.input)
        self.hardware.synchronize()
        after = clock()
        self.floor = floor
        return {
            "import_s": (imported - started) / 1e9,
            "load_s": (loaded - begun) / 1e9,
            "first_call_ms": (after - before) / 1e6,
            "affinity": self.facts,
        }

    def predict(self, images: str, out: str, size: int) -> dict[str, Any]:
        """Logits of all images of a file, written to another."""
        assert self.session and self.card
        everything = np.load(images, mmap_mode="r")
        parts: list[NDArray[np.float32]] = []
        for start in range(0, len(everything), size):
            batch = self.card.inputs(np.ascontiguousarray(everything[start : start + size]))
            parts.append(self.session.result(self.session.run(self.session.prepare(batch))))
        logits = np.concatenate(parts)
        np.save(out, logits)
        return {"count": len(logits)}

    def block(self, calls: int) -> dict[str, Any]:
        """Time `calls` calls, each on its own; one call before them is not counted."""
        assert self.session
        run, wait, clock, inputs = self.session.run, self.hardware.synchronize, self.hardware.clock_ns, self.input
        run(inputs)  # the caches are another worker's
        wait()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        cpu = time.process_time_ns()
        times = [0] * (calls + 1)
        times[0] = clock()
        for call in range(calls):
            run(inputs)
            wait()
            times[call + 1] = clock()
        after = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "call_ns": np.diff(times).tolist(),
            "cpu_ns": time.process_time_ns() - cpu,
            "switches": after.ru_nivcsw - usage.ru_nivcsw,
        }

    def memory(self) -> dict[str, Any]:
        """Peak memory above what the imports took."""
        return {"peak_memory_mb": max(self.hardware.peak_memory_mb() - self.floor, 0.0)}


def main(commands: int, answers: int) -> None:
    """Serve until the parent closes the pipe."""
    with os.fdopen(commands) as lines, os.fdopen(answers, "w", buffering=1) as pipe:
        worker: Worker | None = None
        for line in lines:
            command = json.loads(line)
            name = command.pop("do")
            try:
                if worker is None:
                    worker = Worker(command.pop("hardware"))
                    answer: dict[str, Any] = {}
                else:
                    answer = getattr(worker, name)(**command)
            except Unsupported as error:
                answer = {"unsupported": str(error)}
            except UserError as error:
                answer = {"error": str(error)}
            except Exception as error:
                text = str(error).strip().splitlines()
                answer = {"error": f"{type(error).__name__}: {text[0][:300] if text else ''}"}
            pipe.write(json.dumps(answer) + "\n")


def _die_with_parent() -> None:
    """A parent that is killed leaves no worker behind, however busy this one is."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    _die_with_parent()
    main(int(sys.argv[1]), int(sys.argv[2]))
