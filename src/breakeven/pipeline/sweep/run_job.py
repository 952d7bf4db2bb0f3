"""One job of a sweep: it runs once, in a separate process, and its records go into the cache."""

import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import yaml

import breakeven
from breakeven.config.sections import Settings
from breakeven.config.study import Study
from breakeven.core import cache, paths
from breakeven.core.cache import CacheEntry, CacheKey
from breakeven.core.child_process import PARENT_VARIABLE
from breakeven.core.digests import fingerprint
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, temporary_folder, write_json, write_text
from breakeven.core.secrets import redact
from breakeven.pipeline.sweep.job_study import key_of, study_of
from breakeven.results import measurement_cache, result_row, study_results
from breakeven.results.job_results import LOG_FILE, STUDY_FILE
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome

FAULTS_FILE = "faults.json"  # beside a job's records: which results should be measured again, if any
SINCE_FILE = "since"  # in a job's folder: the time at which `again=true` was given
SIGNAL_EXIT_CODE = 128  # plus the number of the signal that ended a process, as shells count


def run(settings: Settings, choice: str, overrides: Sequence[str], margin: str = "  ") -> JobOutcome:
    """Run the job with these settings, or return the outcome of an earlier run. An error fails only this job.

    Args:
        settings: composed from `conf/sweep.yaml`.
        choice: the name of its option in `conf/family`.
        margin: before each line that it prints.
    """
    started = time.monotonic()
    title, key = " ".join(overrides) or choice, fingerprint(settings)
    status, reason = DONE, ""
    try:
        study = study_of(settings, choice, overrides)
        cache_key = key_of(study)
        key = cache_key.digest
        with cache.exclusive(cache_key, title):
            again = bool(settings.get("again"))
            if (
                (entry := cache.find(cache_key))
                and not again
                and not (entry.folder / cache.FILES_FOLDER / FAULTS_FILE).exists()
            ):
                _touch(entry)
                status = CACHED
                (paths.unfinished_job(cache_key.digest) / SINCE_FILE).unlink(
                    missing_ok=True
                )  # an unfinished `again=true` was given up
            elif faults := _execute(study, cache_key, title, margin, again):
                more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
                reason = f"to be measured again, by the same command: {faults[0]}{more}"
    except (UserError, JobFailed) as error:
        status, reason = FAILED, str(error)
    except Exception as error:  # as a bug or a full disk: it fails only this job and is printed
        traceback.print_exc()
        status, reason = FAILED, words(error)
    seconds = round(time.monotonic() - started, 1)
    return JobOutcome(title, list(overrides), status, key, redact(reason), seconds, time.time())


def _touch(entry: CacheEntry) -> None:
    """Mark the entry, and all entries that it was made from, as used."""
    entry.touch()
    for kind, digest in read_json(entry.folder / cache.FILES_FOLDER / cache.USED_ENTRIES_FILE):
        cache.touch(kind, digest)


def words(error: BaseException) -> str:
    """Return the text of an error in one line."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return "interrupted"
    if isinstance(error, UserError):
        return str(error)
    return f"{type(error).__name__}: {error}".partition("\n")[0]


class JobFailed(Exception):
    """An error that says why a job's process ended without a result."""


def _execute(study: Study, key: CacheKey, title: str, margin: str, again: bool) -> list[str]:
    """Run a job in a separate process, save its records, and return what should be measured again."""
    folder = paths.unfinished_job(key.digest)
    folder.mkdir(parents=True, exist_ok=True)
    since = folder / SINCE_FILE
    if again and not since.exists():  # an interrupted job continues with its first time
        write_text(since, f"{time.time()}")
    write_text(folder / paths.PARAMS, yaml.safe_dump(study.model_dump(), sort_keys=False))
    if not (folder / paths.PROGRAMS).exists():
        (folder / paths.PROGRAMS).symlink_to(paths.home() / paths.PROGRAMS)
    package = str(Path(breakeven.__file__).parents[1])
    search = os.pathsep.join(filter(None, [package, str(paths.home()), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        paths.HOME_VARIABLE: str(paths.home()),
        "PYTHONPATH": search,
        PARENT_VARIABLE: str(os.getpid()),
        **({measurement_cache.AGAIN_VARIABLE: since.read_text(encoding="utf-8")} if since.exists() else {}),
    }
    # -u: with buffering, the last line of the output would come first.
    command = [sys.executable, "-u", "-m", "breakeven.pipeline.sweep.job_main"]
    last = ""
    with (
        (folder / LOG_FILE).open("w", encoding="utf-8") as log,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as child,
    ):
        assert child.stdout
        try:
            for printed in child.stdout:
                line = redact(printed)
                print(f"{margin}{line}", end="", flush=True)
                log.write(line)
                log.flush()
                last = line.strip() or last
        except (Exception, SystemExit):  # otherwise the process would run beside the next job
            child.terminate()
            raise
    if code := child.returncode:
        raise JobFailed(f"{_end(code, last)} (its output: {(folder / LOG_FILE).relative_to(paths.home())})")
    if key_of(study).digest != key.digest:
        raise JobFailed("its source was edited while it ran: the same command runs it again")
    with temporary_folder() as records_folder:
        study_results.copy(study, folder, records_folder)
        shutil.copy2(folder / LOG_FILE, records_folder)
        write_json(records_folder / STUDY_FILE, study.model_dump())
        benchmarks = study_results.read_results(study, records_folder).benchmarks
        faults = result_row.faults(record.row for benchmark in benchmarks for record in benchmark.records)
        shutil.copy2(folder / cache.USED_ENTRIES_FILE, records_folder)
        if faults:
            write_json(records_folder / FAULTS_FILE, faults)
        cache.save(key, title, records_folder)
    shutil.rmtree(folder)
    return faults


def _end(code: int, last: str) -> str:
    """Return why a process ended."""
    number = -code if code < 0 else code - SIGNAL_EXIT_CODE
    if number not in {*signal.Signals}:
        return last.removeprefix("breakeven: ").rstrip(".") or f"it ended with exit code {code}"
    name = signal.Signals(number).name
    return f"killed by {name}{', by somebody or for want of memory' if name == 'SIGKILL' else ''}"
