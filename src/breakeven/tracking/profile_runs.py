"""The profiles of a study in MLflow: a run for each family on each hardware, inside the study's run."""

from collections.abc import Iterator, Mapping
from typing import Any

from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.digests import fingerprint, sha256
from breakeven.results import time_profile
from breakeven.results.time_profile import ProfileRecord, TimeProfile
from breakeven.tracking import hidden_tags
from breakeven.tracking.client import ANY_STATUS, PARENT_TAG, Tracker

KIND = "profile"


def log(store: Tracker, study: Study, parent: str, tags: Mapping[str, Any]) -> tuple[int, int]:
    """Log the profiles of a study; return how many there are, and how many of them are new. Safe to repeat.

    Args:
        parent: the study's run.
        tags: that each run of the study has.
    """
    new = [
        _log(store, record, record.profile, parent, tags)
        for record in _records(study)
        if record.profile is not None
    ]
    return len(new), sum(new)


def figures(profile: TimeProfile) -> dict[str, float]:
    """Return the metrics of a profile: shares of the call, and how far the profiler distorts it."""
    shares = {f"share/{name.replace(' ', '_')}": us / profile.us for name, us in profile.parts().items()}
    return {"us": profile.us, "inflation": profile.inflation, **shares}


def _records(study: Study) -> Iterator[ProfileRecord]:
    for family in study.families:
        for hardware in study.hardware:
            file = paths.profile(family, hardware) / paths.PROFILE_FILE
            if file.exists():  # a report of an earlier version has none
                yield time_profile.read(file)


def _log(
    store: Tracker, record: ProfileRecord, profile: TimeProfile, parent: str, tags: Mapping[str, Any]
) -> bool:
    folder, explained = (place(record.family, record.hardware) for place in (paths.profile, paths.explained))
    key = fingerprint(KIND, parent, record.family, record.hardware)
    is_new = store.find(key, ANY_STATUS) is None
    where = {"kind": KIND, "family": record.family, "hardware": record.hardware, "variant": profile.name}
    run = store.obtain(
        f"{record.family} · where the time goes on {record.hardware}",
        key,
        {**tags, **where, PARENT_TAG: parent},
        ANY_STATUS,
    )
    files = {
        folder / paths.PROFILE_FILE: "profile",
        folder / paths.TRACE_FILE: "profile",
        explained: "explain",
    }
    files = {file: place for file, place in files.items() if file.exists()}
    content = fingerprint(*(sha256(file) for file in files))
    if hidden_tags.read(store.client.get_run(run).data.tags, hidden_tags.SYNCED) != content:
        store.log(run, figures=figures(profile))
        for file, place in files.items():
            store.artifact(run, file, place)
        store.tag(run, hidden_tags.name(hidden_tags.SYNCED), content)
        store.end(run)
    return is_new
