"""How far long work is, and how much time is left: a bar in a terminal, plain lines in a log.

Nothing here has a thread. A bar is drawn when it is told something, and so never while a block is timed.
"""

import fcntl
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text

Item = TypeVar("Item")
DRAWN_EVERY_S, TOLD_EVERY_S = 0.25, 10.0  # at most
CLEAR_LINE = "\r\x1b[2K"  # of a terminal


@dataclass
class Estimate:
    """The time left, as what is finished has taken it; nothing is known before that."""

    total: float  # of the work, in any unit
    at_once: int = 1  # how much of it is done side by side
    at_most: bool = False  # it may end sooner
    done: float = 0.0
    made: float = 0.0  # of what is done, that which took its time
    seconds: float = 0.0  # that it took

    def finish(self, seconds: float | None, work: float = 1.0) -> None:
        """Count what took so long; None: it was there already, and so may be what is left."""
        self.done += work
        if seconds is None:
            self.at_most = True
        else:
            self.made, self.seconds = self.made + work, self.seconds + seconds

    def left(self, begun: float = 0.0) -> str:
        """In words; empty where nothing is left or nothing is known.

        Args:
            begun: how much is done of what is not finished.
        """
        rest = self.total - self.done - begun
        if not self.made or rest <= 0:
            return ""
        if self.at_once > 1:  # the last one takes its time, too
            rest = math.ceil(rest / self.at_once)
        return time_left(rest * self.seconds / self.made, self.at_most)


def time_left(seconds: float, at_most: bool = False) -> str:
    """So coarse as an estimate is, or rounded up where it is a limit: "about 12 min left"."""
    about = "at most" if at_most else "about"
    up = 0.499 if at_most else 0.0
    if seconds < 10:
        return "less than 10 s left"
    if (tens := round(seconds / 10 + up)) < 6:
        return f"{about} {10 * tens} s left"
    if (minutes := round(seconds / 60 + up)) < 60:
        return f"{about} {minutes} min left"
    hours, tens = divmod(round(seconds / 600 + up), 6)
    return f"{about} {hours} h{f' {10 * tens} min' if tens else ''} left"


class ProgressLine:
    """One piece of work on the screen, or in a log."""

    def __init__(self, title: str, total: float, bar: Progress | None, crowded: bool = False) -> None:
        """`crowded`: another process has a bar in this terminal."""
        self.title, self._bar, self._crowded = title, bar, crowded
        self._drawn, self._told = float("-inf"), time.monotonic()
        if bar:
            self._task = bar.add_task(title, total=total, what="", left="")

    def move(self, done: float, what: str, left: str = "", *, now: bool = False) -> None:
        """Move the bar, if there is one; `now`: not only four times a second."""
        if self._bar:
            due = now or time.monotonic() - self._drawn >= DRAWN_EVERY_S
            self._bar.update(self._task, completed=done, what=what, left=left, refresh=due)
            self._drawn = time.monotonic() if due else self._drawn

    def tell(self, done: float, what: str, left: str = "") -> None:
        """Move the bar, or print a line."""
        self._told = time.monotonic()
        self.move(done, what, left, now=True)
        if not self._bar:
            start = CLEAR_LINE if self._crowded else ""
            print(f"{start}{self.title}: {what}{f', {left}' if left else ''}", file=sys.stderr, flush=True)

    def pace(self, done: float, what: str, left: str = "") -> None:
        """For small steps: move the bar, or print a line if the last one is a while ago."""
        if time.monotonic() - self._told >= TOLD_EVERY_S:
            self.tell(done, what, left)
        else:
            self.move(done, what, left)


@contextmanager
def shown(title: str, total: float) -> Iterator[ProgressLine]:
    """Show work until the block ends, in whatever way it does.

    There is one bar in a terminal: another process, or a block inside of this one, prints lines.

    Args:
        total: of the work, in any unit.
    """
    console = _Console(stderr=True, markup=False, highlight=False)
    # Its lines are drawn by rich into stderr, so it has to be stdout's terminal as well.
    if not (sys.stdout.isatty() and sys.stderr.isatty() and console.is_interactive):
        yield ProgressLine(title, total, None)
        return
    with _alone() as alone:
        if not alone:
            yield ProgressLine(title, total, None, crowded=True)
            return
        with Progress(*_columns(), console=console, auto_refresh=False) as bar:
            yield ProgressLine(title, total, bar)


def track(title: str, items: Sequence[Item]) -> Iterator[Item]:
    """Go through many small `items`, and show how far; a log gets a line only when it takes long."""
    with shown(title, len(items)) as on:
        estimate = Estimate(len(items))
        for number, item in enumerate(items, 1):
            began = time.monotonic()
            yield item
            estimate.finish(time.monotonic() - began)
            on.pace(number, f"{number:,} of {len(items):,}", estimate.left())


class ItemProgress:
    """Units of work, one after another."""

    def __init__(self, on: ProgressLine, total: int, every_s: float) -> None:
        self._on, self._every_s = on, every_s
        self._estimate = Estimate(total)
        self._told = float("-inf")
        self._began = 0.0

    def begin(self, what: str) -> None:
        """Say which is the next."""
        self._began = time.monotonic()
        text = f"{self._estimate.done + 1:.0f} of {self._estimate.total:.0f}: {what}"
        if self._began - self._told >= self._every_s:
            self._told = self._began
            self._on.tell(self._estimate.done, text, self._estimate.left())
        else:
            self._on.move(self._estimate.done, text, self._estimate.left(), now=True)

    def end(self, made: bool = True) -> None:
        """It is finished; or was not `made`, because it was there already."""
        self._estimate.finish(time.monotonic() - self._began if made else None)
        self._on.move(self._estimate.done, f"{self._estimate.done:.0f} of {self._estimate.total:.0f}")


@contextmanager
def counted(title: str, total: int, every_s: float = TOLD_EVERY_S) -> Iterator[ItemProgress]:
    """Show so many units of work; a log gets a line every `every_s` seconds at most."""
    with shown(title, total) as on:
        yield ItemProgress(on, total, every_s)


def _columns() -> list[ProgressColumn]:
    """On one line, of which the end is left out where it is too long."""
    whole, rest = (Column(no_wrap=True, ratio=ratio) for ratio in (None, 1))
    return [
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(bar_width=20),
        _Elapsed(table_column=whole),
        TextColumn("{task.fields[left]}", markup=False, table_column=whole),
        TextColumn("{task.fields[what]}", markup=False, table_column=rest),
    ]


class _Elapsed(ProgressColumn):
    """Goes on where there is more to do than was expected, unlike rich's own."""

    def render(self, task: Task) -> Text:
        return Text(str(timedelta(seconds=int(task.elapsed or 0))))


class _Console(Console):
    """Leaves the cursor visible: a process that is killed could not bring it back."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody else has a bar in this terminal, until the block ends."""
    try:
        # Opened anew: what was inherited from the shell would share its lock with all that it started.
        terminal = os.open(os.ttyname(sys.stderr.fileno()), os.O_RDONLY | os.O_NOCTTY)
    except OSError:  # another user's, or of another container
        yield False
        return
    try:
        alone = False
        with suppress(BlockingIOError):
            fcntl.flock(terminal, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        yield alone
    finally:
        os.close(terminal)
