"""The process that runs one variant: it loads the artifact, and answers samples until its pipe closes."""

from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from breakeven.artifacts import records
from breakeven.core.child_process import end_with_parent
from breakeven.core.memory import be_killed_first
from breakeven.core.toolchain_errors import in_words

READY, OUTPUTS, FAILED = "ready", "outputs", "failed"


def run(channel: Connection, parent: int, folder: Path, threads: int, warm_up: list[Any]) -> None:
    """Load the artifact and say so, then answer each array with the model's outputs.

    Args:
        parent: the process id of the service; this process ends with it.
        warm_up: samples of each size that is called first, so that no request waits for what is made then.
    """
    import signal

    from breakeven.engine.loaded_variant import load_variant

    end_with_parent(parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the service's, which drains first
    be_killed_first()
    try:
        variant = load_variant(folder, threads=threads)
        for samples in warm_up:
            variant(records.named(samples))
    except BaseException as error:
        channel.send((FAILED, in_words(error)))
        return
    channel.send((READY, variant.manifest.variant))
    while True:
        try:
            samples = channel.recv()
        except EOFError:
            return
        try:
            outputs = records.as_samples(variant(records.named(samples)))
            channel.send((OUTPUTS, np.ascontiguousarray(outputs)))
        except Exception as error:
            channel.send((FAILED, in_words(error)))
