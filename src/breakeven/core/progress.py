"""The progress of long work, and the time left: a bar in a terminal, plain lines in a log.

This module starts no thread. The bar is drawn only when the caller reports progress, so that no drawing
disturbs a block that is being timed.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from rich.progress import Progress

from breakeven.core.estimate import Estimate
from breakeven.core.progress_bar import QuietConsole, alone_in_terminal, columns

Item = TypeVar("Item")
DRAWN_EVERY_S, TOLD_EVERY_S = 0.25, 10.0  # least time between two drawings, and between two lines
CLEAR_LINE = "\r\x1b[2K"  # erases the line of a terminal


class ProgressLine:
    """One piece of work, shown as a bar in a terminal or as lines in a log."""

    def __init__(self, title: str, total: float, bar: Progress | None, crowded: bool = False) -> None:
        """Add the work to the bar, if there is one.

        Args:
            title: the name of the work.
            total: the amount of work, in any unit.
            bar: the bar; None prints lines.
            crowded: whether another process has a bar in this terminal.
        """
        self.title, self._bar, self._crowded = title, bar, crowded
        self._drawn_at, self._told_at = float("-inf"), time.monotonic()
        if bar:
            self._task = bar.add_task(title, total=total, what="", left="")

    def move(self, done: float, what: str, left: str = "", *, now: bool = False) -> None:
        """Move the bar, if there is one.

        Args:
            done: the amount of finished work.
            what: the current step.
            left: the time left, in words.
            now: draw the bar at once. Otherwise it is drawn at most four times a second.
        """
        if self._bar:
            due = now or time.monotonic() - self._drawn_at >= DRAWN_EVERY_S
            self._bar.update(self._task, completed=done, what=what, left=left, refresh=due)
            self._drawn_at = time.monotonic() if due else self._drawn_at

    def tell(self, done: float, what: str, left: str = "") -> None:
        """Move the bar and draw it at once, or print a line if there is no bar."""
        self._told_at = time.monotonic()
        self.move(done, what, left, now=True)
        if not self._bar:
            start = CLEAR_LINE if self._crowded else ""
            print(f"{start}{self.title}: {what}{f', {left}' if left else ''}", file=sys.stderr, flush=True)

    def pace(self, done: float, what: str, left: str = "") -> None:
        """Report a small step: move the bar, or print a line if the last line is `TOLD_EVERY_S` old."""
        if time.monotonic() - self._told_at >= TOLD_EVERY_S:
            self.tell(done, what, left)
        else:
            self.move(done, what, left)


@contextmanager
def shown(title: str, total: float) -> Iterator[ProgressLine]:
    """Show the progress of work until the block ends, with or without an error.

    A terminal has one bar. A second process, or an inner block, prints lines.

    Args:
        title: the name of the work.
        total: the amount of work, in any unit.
    """
    console = QuietConsole(stderr=True, markup=False, highlight=False)
    # While a bar is shown, rich writes the lines of stdout into stderr. So both have to be the terminal.
    if not (sys.stdout.isatty() and sys.stderr.isatty() and console.is_interactive):
        yield ProgressLine(title, total, None)
        return
    with alone_in_terminal() as alone:
        if not alone:
            yield ProgressLine(title, total, None, crowded=True)
            return
        with Progress(*columns(), console=console, auto_refresh=False) as bar:
            yield ProgressLine(title, total, bar)


def track(title: str, items: Sequence[Item]) -> Iterator[Item]:
    """Yield many small `items`, and show the progress. A log gets a line every `TOLD_EVERY_S` at most."""
    with shown(title, len(items)) as on:
        estimate = Estimate(len(items))
        for number, item in enumerate(items, 1):
            began = time.monotonic()
            yield item
            estimate.finish(time.monotonic() - began)
            on.pace(number, f"{number:,} of {len(items):,}", estimate.left())


class ItemProgress:
    """The progress of units of work that are done one after another."""

    def __init__(self, on: ProgressLine, total: int, every_s: float) -> None:
        """Show `total` units on a line of progress, with a line in a log every `every_s` seconds at most."""
        self._on, self._every_s = on, every_s
        self._estimate = Estimate(total)
        self._told_at = float("-inf")
        self._began = 0.0

    def begin(self, what: str) -> None:
        """Show the name of the next unit."""
        self._began = time.monotonic()
        text = f"{self._estimate.done + 1:.0f} of {self._estimate.total:.0f}: {what}"
        if self._began - self._told_at >= self._every_s:
            self._told_at = self._began
            self._on.tell(self._estimate.done, text, self._estimate.left())
        else:
            self._on.move(self._estimate.done, text, self._estimate.left(), now=True)

    def end(self, is_new: bool = True) -> None:
        """Count the unit as finished.

        Args:
            is_new: False if the unit was there already, and took no time.
        """
        self._estimate.finish(time.monotonic() - self._began if is_new else None)
        self._on.move(self._estimate.done, f"{self._estimate.done:.0f} of {self._estimate.total:.0f}")


@contextmanager
def counted(title: str, total: int, every_s: float = TOLD_EVERY_S) -> Iterator[ItemProgress]:
    """Show the progress of `total` units of work. A log gets at most one line in `every_s` seconds."""
    with shown(title, total) as on:
        yield ItemProgress(on, total, every_s)
