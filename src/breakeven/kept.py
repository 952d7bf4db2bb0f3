"""What an interrupted benchmark had finished."""

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from breakeven.files import fingerprint, read_json, source_digest, write_json
from breakeven.result import Part, records_of

# What a scenario's records depend on besides the key
SOURCE = (
    *("accuracy", "artifact", "converted", "hardware", "judge", "kernels", "measure", "modelfile"),
    *("preprocess", "program", "result", "runtime", "scoring"),
)


class Kept:
    """The scenarios that an interrupted benchmark had finished, for the one that goes on with it."""

    def __init__(self, folder: Path, key: Any) -> None:
        """Those of a benchmark with this `key`: of all that its results depend on."""
        self._folder = folder / fingerprint(key, source_digest(*SOURCE))

    def read(self, scenario: str) -> Part | None:
        """What was kept of a scenario."""
        path = self._path(scenario)
        if not path.exists():
            return None
        values = read_json(path)
        return Part(**{**values, "records": records_of(values["records"])})

    def write(self, part: Part) -> None:
        """Keep a scenario."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_json(self._path(part.scenario), asdict(part))

    def forget(self) -> None:
        """All that it was kept for is finished."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, scenario: str) -> Path:
        return self._folder / f"{fingerprint(scenario)}.json"
