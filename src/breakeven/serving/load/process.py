"""A load test in a process of its own, so that the caller's work does not make it late."""

import multiprocessing
import os
import signal
from multiprocessing.connection import Connection

from breakeven.core.child_process import end_with_parent
from breakeven.core.errors import Failed, UserError
from breakeven.serving.load.result import LoadResult
from breakeven.serving.load.runner import run
from breakeven.serving.load.settings import LoadSettings


def run_in_process(settings: LoadSettings) -> LoadResult:
    """Do what `runner.run` does, in a new process; `settings.core` says on which core.

    The process ends with the caller. Ctrl-C ends it, and is the caller's own.

    Raises:
        UserError: as of `runner.run`.
        Failed: the process died.
    """
    context = multiprocessing.get_context("spawn")  # a forked one would have the caller's threads and memory
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(settings, sender, os.getpid()), daemon=True)
    process.start()
    sender.close()
    try:
        outcome = receiver.recv()
    except EOFError:
        process.join()
        raise Failed(f"the process of the load generator died (exit code {process.exitcode})") from None
    finally:
        receiver.close()
        process.kill()
        process.join()
    if isinstance(outcome, UserError):
        raise outcome
    assert isinstance(outcome, LoadResult)
    return outcome


def _work(settings: LoadSettings, sender: Connection, parent: int) -> None:
    end_with_parent(parent, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        sender.send(run(settings))
    except UserError as error:
        sender.send(error)
