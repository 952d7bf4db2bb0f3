"""The frame around every stage: it turns failures into messages and exit codes."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from breakeven.core import interrupts
from breakeven.core.errors import UserError
from breakeven.core.machine_errors import machine_fault
from breakeven.core.secrets import hide_in_output


def run(stage: Callable[..., None], again: str = "`dvc repro`") -> None:
    """Run a stage with the command line's arguments.

    A `UserError` prints its message and ends the process with exit code 1. Ctrl-C ends it with 130 and
    SIGTERM with 143, after the stage's `finally` blocks.

    Args:
        again: what to type to go on after that.
    """
    interrupts.handle(f"interrupted; run {again} to go on")
    hide_in_output()
    signal.signal(signal.SIGTERM, _terminate)
    try:
        stage(*sys.argv[1:])
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        sys.exit(1)
    except (OSError, MemoryError) as error:
        if not (fault := machine_fault(error)):
            raise
        print(f"breakeven: {fault}, then run {again} to go on.", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print(f"breakeven: interrupted; run {again} to go on.", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # another one would interrupt the clean-up
    raise interrupts.Terminated(128 + number)
