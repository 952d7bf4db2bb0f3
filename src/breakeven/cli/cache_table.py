"""The text of `breakeven cache`: what the cache holds, and why it does not hold something."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from breakeven.config import compose
from breakeven.core import cache, cache_cleanup, paths
from breakeven.core.cache import CacheEntry
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.pipeline.sweep import job_study, run_job
from breakeven.pipeline.sweep.job_overrides import CONFIG_NAME, jobs_of_command
from breakeven.results import sweep_results

MAX_DIFFERENCES = 10  # most differences to print


def show() -> None:
    """Print every entry of the cache, the last used first."""
    entries = cache.entries()
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("kind", "key", "what"):
        table.add_column(name, no_wrap=name != "what")
    for name in ("MB", "days since it was used"):
        table.add_column(name, justify="right")
    for entry in entries:
        table.add_row(*_cells(entry))
    console = Console()
    if entries:
        console.print(table)
    console.print(_total(entries))
    if begun := cache_cleanup.unfinished(0):
        console.print(f"besides, {_begun(begun)}", soft_wrap=True)


def prune(days: float, dry_run: bool = False) -> None:
    """Remove entries and unfinished work that nobody used for `days` days, and print how much.

    A sweep of whose jobs nothing is left loses its record as well.

    Args:
        dry_run: print what would be removed, and remove nothing.
    """
    old = cache_cleanup.unused(days) if dry_run else cache_cleanup.prune(days)
    begun = cache_cleanup.unfinished(days)
    words = [_total(old), *([_begun(begun)] if begun else [])]
    if dry_run:
        for entry in old:
            print(f"  {entry.key.kind} {entry.folder.name}, {entry.megabytes:,.1f} MB: {entry.title}")
    else:
        cache_cleanup.remove(begun)
    gone = {(entry.key.kind, entry.folder.name) for entry in old}
    if empty := sweep_results.without_results(gone, days):
        words.append(f"the records of {len(empty)} sweeps without results")
        for path in [] if dry_run else empty:
            path.unlink(missing_ok=True)
    print(f"{'would be removed' if dry_run else 'removed'}: {'; '.join(words)}")


def explain(overrides: Sequence[str]) -> None:
    """Print whether the cache holds a sweep's jobs; if not, print the nearest entry and the differences.

    Args:
        overrides: the overrides of a `breakeven-sweep` command.

    Raises:
        UserError: the overrides cannot be composed.
    """
    try:
        every = jobs_of_command(overrides) or [list(overrides)]
    except Exception as error:
        if not compose.is_of_composition(error):
            raise
        raise UserError(compose.explain(error, overrides, paths.CONF, CONFIG_NAME)) from None
    for each in every:
        if len(every) > 1:
            print(f"{' '.join(each)}:")
        _explain([override for override in each if not override.startswith("hydra")])


def _explain(overrides: Sequence[str]) -> None:
    key = job_study.key_of(job_study.composed_study(overrides))
    if entry := cache.find(key):
        faults = entry.folder / cache.FILES_FOLDER / run_job.FAULTS_FILE
        again = f"; of it will be measured again: {'; '.join(read_json(faults))}" if faults.exists() else ""
        print(f"hit: {entry.title}, in {entry.folder}{again}")
        return
    print(f"miss: nothing in the store has the key {key.digest}.")
    if difference := cache.differences(key):
        nearest, changed = difference
        print(f"The nearest is {nearest.folder.name}, {nearest.title}. It differs in:")
        for line in changed[:MAX_DIFFERENCES]:
            print(f"  {line}")
        if len(changed) > MAX_DIFFERENCES:
            print(f"  and {len(changed) - MAX_DIFFERENCES} more")


def _cells(entry: CacheEntry) -> list[str]:
    days = (time.time() - entry.used) / 86400
    return [entry.key.kind, entry.folder.name, escape(entry.title), f"{entry.megabytes:,.1f}", f"{days:.1f}"]


def _begun(folders: Sequence[Path]) -> str:
    size = f"{cache_cleanup.megabytes(folders):,.1f} MB"
    return f"{len(folders)} folders of what has not ended, and of sweeps' launchers, {size}"


def _total(entries: Sequence[CacheEntry]) -> str:
    what = "entry" if len(entries) == 1 else "entries"
    return f"{len(entries)} {what}, {sum(entry.megabytes for entry in entries):,.1f} MB"
