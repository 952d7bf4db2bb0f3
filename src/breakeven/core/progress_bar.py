"""The bar of a terminal: its columns, and the lock that lets one process draw it."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TextColumn
from rich.table import Column
from rich.text import Text


def columns() -> list[ProgressColumn]:
    """Return the columns of a bar. They stand on one line, whose end is cut off if it is too long."""
    whole, rest = (Column(no_wrap=True, ratio=ratio) for ratio in (None, 1))
    return [
        TextColumn("{task.description}", markup=False, table_column=whole),
        BarColumn(bar_width=20),
        _Elapsed(table_column=whole),
        TextColumn("{task.fields[left]}", markup=False, table_column=whole),
        TextColumn("{task.fields[what]}", markup=False, table_column=rest),
    ]


class _Elapsed(ProgressColumn):
    """The time since the start. Unlike rich's own column, it goes on if there is more work than expected."""

    def render(self, task: Task) -> Text:
        return Text(str(timedelta(seconds=int(task.elapsed or 0))))


class QuietConsole(Console):
    """A console that leaves the cursor visible, because a killed process could not show it again."""

    def show_cursor(self, show: bool = True) -> bool:
        """Change nothing."""
        return False


@contextmanager
def alone_in_terminal() -> Iterator[bool]:
    """Yield whether this process alone has a bar in this terminal; if so, keep it until the block ends."""
    try:
        # Open the terminal again: the shell's own descriptor shares its lock with all processes of the shell.
        terminal = os.open(os.ttyname(sys.stderr.fileno()), os.O_RDONLY | os.O_NOCTTY)
    except OSError:  # the terminal belongs to another user or container
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
