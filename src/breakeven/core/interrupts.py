"""Ctrl-C at any moment ends a program with one line, also while it imports, and also if pressed twice."""

import os
import signal
import sys
import time
from types import FrameType, TracebackType

EXIT_CODE = 128 + signal.SIGINT
DOUBLE_PRESS_S = 1.0  # an impatient second Ctrl-C within this time is the first one again
_first: float | None = None  # when the first Ctrl-C came
_sentence = "interrupted"


class Terminated(SystemExit):
    """SIGTERM ends this process: this is no library's own SystemExit, which would be a fault of it."""


def handle(sentence: str) -> None:
    """Make Ctrl-C raise `KeyboardInterrupt` once, and make every error that follows from it one line.

    A library that is being imported can turn the interrupt into an error of its own. A later Ctrl-C ends the
    process at once, without cleaning up.

    Args:
        sentence: what to print, such as "interrupted; run `dvc repro` to go on".
    """
    global _sentence  # noqa: PLW0603
    _sentence = sentence
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job ignores Ctrl-C
        return
    signal.signal(signal.SIGINT, _interrupt)
    sys.excepthook = _report


def received() -> bool:
    """Return whether Ctrl-C was pressed."""
    return _first is not None


def end() -> None:
    """Print the sentence, and end the process now: a library's own clean-up can only raise again."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is sys.stderr:
                print(f"breakeven: {_sentence}.", file=stream)
            stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            continue
    os._exit(EXIT_CODE)


def _interrupt(number: int, frame: FrameType | None) -> None:
    global _first  # noqa: PLW0603
    now = time.monotonic()
    if _first is None:
        _first = now
        raise KeyboardInterrupt
    if now - _first > DOUBLE_PRESS_S:
        end()


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print the sentence in place of an error that follows from Ctrl-C; print any other error as ever."""
    if received() or issubclass(kind, KeyboardInterrupt):
        end()
    sys.__excepthook__(kind, error, trace)
