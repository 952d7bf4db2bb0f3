"""The jobs of a sweep: each is a study of one family, which runs once in a separate process.

This module derives a job's study and cache key, runs the job, and saves its records in the cache.
"""

import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

import breakeven
from breakeven.artifacts import variants
from breakeven.config import compose
from breakeven.config.schema import Settings, Study, validate
from breakeven.core import cache, paths, system_info
from breakeven.core.cache import CacheEntry, CacheKey
from breakeven.core.child_process import PARENT
from breakeven.core.errors import UserError
from breakeven.core.files import fingerprint, read_json, write_json, write_text
from breakeven.pipeline.stage_code import job_code
from breakeven.pipeline.stages.fetch import input_digests
from breakeven.results import measurement_cache, records, study_results
from breakeven.results.job_results import LOG, STUDY, of_one_family
from breakeven.results.sweep_results import CACHED, DONE, FAILED, JobOutcome

MAX_VALUE_LENGTH = 38  # characters of a value in a name
FAULTS = "faults.json"  # beside a job's records: which results should be measured again, if any
SINCE = "since"  # in a job's folder: the time at which `again=true` was given
SIGNAL_EXIT_CODE = 128  # plus the number of the signal that ended a process, as shells count
# Overrides that change a model or an artifact, and therefore the family's name
NAMING = (
    *("family.", "model@", "train@", "data.", "seed=", "export."),
    *("compressions.", "runtimes.", "quantizations."),
)


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
                and not (entry.folder / cache.FILES / FAULTS).exists()
            ):
                _touch(entry)
                status = CACHED
                (paths.unfinished_job(cache_key.digest) / SINCE).unlink(
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
    return JobOutcome(title, list(overrides), status, key, reason, round(time.monotonic() - started, 1))


def _touch(entry: CacheEntry) -> None:
    """Mark the entry, and all entries that it was made from, as used."""
    entry.touch()
    for kind, digest in read_json(entry.folder / cache.FILES / cache.USED):
        cache.touch(kind, digest)


def words(error: BaseException) -> str:
    """Return the text of an error in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return f"{type(error).__name__}: {error}".partition("\n")[0]


class JobFailed(Exception):
    """An error that says why a job's process ended without a result."""


def composed_study(overrides: Sequence[str]) -> Study:
    """Return the study of a job with these overrides, composed from the current configuration.

    Raises:
        UserError: the study cannot be composed.
    """
    settings, choices = compose.compose_with_choices(overrides, name="sweep")
    return study_of(settings, choices["family"], overrides)


def study_of(settings: Mapping[str, Any], choice: str, overrides: Sequence[str]) -> Study:
    """Return the study of a job. Its family's name consists of the choice and the overrides that change it.

    The study's runtimes always include the baseline.
    """
    if several := settings.get("families"):
        raise UserError(
            f"study={settings['study']}: it lists families, and is for `dvc repro`. In a sweep each job has "
            f"one: family={','.join(several)}, with the study's other choices as overrides."
        )
    settings_of_study = {
        k: v for k, v in settings.items() if k not in ("family", "data", "again", "growing_runtime")
    }
    plain = sorted(each.lstrip("+") for each in overrides)
    name = "-".join([choice, *(_change(each) for each in plain if each.startswith(NAMING))])
    family = settings["family"]
    data = family.get("data")
    if data in (None, "???"):
        raise UserError(f"family={choice}: its `data` should name its dataset, a file of conf/data.")
    return validate(
        {
            **settings_of_study,
            "families": {name: family},
            "datasets": {data: _option("data", str(data)) | settings.get("data", {})},
            "hardware": {_hardware_name(key, plain): values for key, values in settings["hardware"].items()},
            "runtimes": {"eager": _option("runtime", "eager"), **settings["runtimes"]},
        }
    )


def _hardware_name(hardware: str, overrides: Sequence[str]) -> str:
    """Return the name of a hardware, with the overrides of its settings as a suffix."""
    return "-".join(
        [hardware, *(_change(each) for each in overrides if each.startswith(f"hardware.{hardware}."))]
    )


def _change(override: str) -> str:
    """Return an override in a form for names of families and files: its key's last part and its value."""
    key, _, value = override.partition("=")
    last = key.rpartition(".")[2]
    text = value if last == "_target_" else last + value  # a path of a class needs no key
    safe = re.sub(r"[^\w.-]+", "_", text)[:MAX_VALUE_LENGTH]
    return safe if safe == text else f"{safe}_{fingerprint(override)[:6]}"


def key_of(study: Study) -> CacheKey:
    """Return the cache key of a job: everything that its records depend on, without the family's name."""
    overridden = [set(study.option("hardware", name).environment()) for name in study.hardware]
    parts = {
        "settings": of_one_family(study.model_dump(exclude={"study", "recommend"})),
        "outside": {kind.partition("/")[0]: found for kind, found in input_digests(study).items()},
        "machine": system_info.collect(),
        "cores": system_info.cores(),
        "environment": system_info.tuning_variables(set.intersection(*overridden)),
        "code": job_code(study),
    }
    return CacheKey("job", parts)


def _execute(study: Study, key: CacheKey, title: str, margin: str, again: bool) -> list[str]:
    """Run a job in a separate process, save its records, and return what should be measured again."""
    folder = paths.unfinished_job(key.digest)
    folder.mkdir(parents=True, exist_ok=True)
    since = folder / SINCE
    if again and not since.exists():  # an interrupted job continues with its first time
        write_text(since, f"{time.time()}")
    write_text(folder / paths.PARAMS, yaml.safe_dump(study.model_dump(), sort_keys=False))
    if not (folder / paths.PROGRAMS).exists():
        (folder / paths.PROGRAMS).symlink_to(paths.home() / paths.PROGRAMS)
    package = str(Path(breakeven.__file__).parents[1])
    search = os.pathsep.join(filter(None, [package, str(paths.home()), os.environ.get("PYTHONPATH")]))
    environment = {
        **os.environ,
        paths.HOME: str(paths.home()),
        "PYTHONPATH": search,
        PARENT: str(os.getpid()),
        **({measurement_cache.AGAIN: since.read_text(encoding="utf-8")} if since.exists() else {}),
    }
    # -u: with buffering, the last line of the output would come first.
    command = [sys.executable, "-u", "-m", "breakeven.pipeline.sweep.job_main"]
    last = ""
    with (
        (folder / LOG).open("w", encoding="utf-8") as log,
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
            for line in child.stdout:
                print(f"{margin}{line}", end="", flush=True)
                log.write(line)
                log.flush()
                last = line.strip() or last
        except (Exception, SystemExit):  # otherwise the process would run beside the next job
            child.terminate()
            raise
    if code := child.returncode:
        raise JobFailed(f"{_end(code, last)} (its output: {(folder / LOG).relative_to(paths.home())})")
    if key_of(study).digest != key.digest:
        raise JobFailed("its source was edited while it ran: the same command runs it again")
    with TemporaryDirectory() as scratch:
        kept = Path(scratch)
        study_results.copy(study, folder, kept)
        shutil.copy2(folder / LOG, kept)
        write_json(kept / STUDY, study.model_dump())
        benchmarks = study_results.read_results(study, kept).benchmarks
        refused = {
            (family, card.variant)
            for family in study.families
            for _, card in variants.read_variants(family, folder).values()
            if card.refused  # measuring again would refuse it again
        }
        faults = records.faults(
            record.row
            for benchmark in benchmarks
            for record in benchmark.records
            if (record.row.family, record.row.variant) not in refused
        )
        shutil.copy2(folder / cache.USED, kept)
        if faults:
            write_json(kept / FAULTS, faults)
        cache.save(key, title, kept)
    shutil.rmtree(folder)
    return faults


def _end(code: int, last: str) -> str:
    """Return why a process ended."""
    number = -code if code < 0 else code - SIGNAL_EXIT_CODE
    if number not in {*signal.Signals}:
        return last.removeprefix("breakeven: ").rstrip(".") or f"it ended with exit code {code}"
    name = signal.Signals(number).name
    return f"killed by {name}{', by somebody or for want of memory' if name == 'SIGKILL' else ''}"


@functools.cache
def _option(group: str, name: str) -> Settings:
    """Return the settings of an option of `conf/` without overrides."""
    option = yaml.safe_load(compose.compose([], name=f"{group}/{name}"))
    for part in [group] if group in option else [f"{group}s", name]:
        option = option[part]
    return dict(option)
