"""What was measured, in the store: one scenario of one family on one hardware is measured once."""

import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from breakeven import paths, store
from breakeven.artifact import Artifact
from breakeven.config import Config
from breakeven.errors import UserError
from breakeven.files import digests, read_json, source_digest, write_json
from breakeven.measure.plan import Scenario
from breakeven.result import Part, records_of
from breakeven.store import Key

FILE = "measurement.json"
AGAIN = "BREAKEVEN_AGAIN"  # variable of the environment: what was measured before does not count (Unix time)
# The source that decides what a measurement comes to, besides the artifacts'
SOURCE = (
    *("accuracy", "artifact", "bench", "converted", "data/base", "hardware", "judge", "kernels", "measure"),
    *("measurements", "modelfile", "prepared", "preprocess", "program", "result", "runtime", "scoring"),
    "variants",
)


def key_of(
    study: Config,
    hardware: str,
    scenario: Scenario,
    data: str,
    artifacts: Mapping[str, Artifact],
    controlled: Collection[str],
) -> Key:
    """Of all that a measurement depends on; the names of family and hardware are none of that.

    Args:
        data: the digest of the dataset, whose test images are what is predicted.
        artifacts: by variant.
        controlled: the recipes that the control stands for.
    """
    return Key(
        "measurement",
        {
            "variants": {name: [card.key, card.status, card.reason] for name, card in artifacts.items()},
            "controlled": sorted(controlled),
            "data": data,
            "hardware": study.hardware[hardware],
            "scenario": asdict(scenario),
            "budget": asdict(study.measure.budget(study.seed)),
            "machine": read_json(paths.MACHINE),
            "programs": digests(paths.PROGRAMS),
            "code": source_digest(*SOURCE),
        },
    )


def find(key: Key, family: str, hardware: str) -> Part | None:
    """What was measured with this key, under these names; None if nothing was, or too early."""
    if not (entry := store.find(key)):
        return None
    values: dict[str, Any] = read_json(entry.folder / store.FILES / FILE)
    if values["at"] < since():
        return None
    entry.touch()
    records = [
        replace(record, row=replace(record.row, family=family, hardware=hardware))
        for record in records_of(values["records"])
    ]
    return Part(**{**values, "records": records})


def keep(key: Key, title: str, part: Part) -> None:
    """Keep it for whoever needs the same."""
    with TemporaryDirectory() as scratch:
        write_json(Path(scratch) / FILE, asdict(part))
        store.keep(key, title, Path(scratch))


def since() -> float:
    """When the measurements that count begin, by `BREAKEVEN_AGAIN`; 0 without it.

    Raises:
        UserError: it is no time.
    """
    asked = os.environ.get(AGAIN, "0")
    try:
        return float(asked)
    except ValueError:
        raise UserError(
            f"{AGAIN}={asked}: it should be a time in seconds since 1970, as of `date +%s`."
        ) from None
