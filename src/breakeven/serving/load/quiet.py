"""What would disturb a generator of load in its own process, kept away while it runs."""

import contextlib
import gc
import os
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def quiet(core: int | None) -> Iterator[None]:
    """Collect no garbage in the block, and run this thread on one core.

    Args:
        core: the number of the core; None for any.
    """
    was_enabled, cores = gc.isenabled(), os.sched_getaffinity(0)
    gc.collect()
    gc.disable()
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
        if was_enabled:
            gc.enable()


@contextlib.contextmanager
def plain_interrupts() -> Iterator[None]:
    """Let Ctrl-C have Python's own effect in the block.

    asyncio then cancels what it runs, so that connections are closed, and raises `KeyboardInterrupt`. Outside
    the main thread this does nothing, and neither does it if Ctrl-C is ignored.
    """
    is_main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if is_main else None
    if handler in (None, signal.SIG_IGN):
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
