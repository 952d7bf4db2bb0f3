"""The smallest study, finished once, with a copy of it before each of its stages."""

from pathlib import Path

import pytest
from filelock import FileLock
from snapshots import Snapshots


@pytest.fixture(scope="session")
def snapshots(common_folder: Path) -> Snapshots:
    """The study, stage by stage; made once for all of xdist's workers."""
    folder = common_folder / "snapshots"
    with FileLock(common_folder / "snapshots.lock"):
        if not (folder / "complete").exists():
            folder.mkdir()
            Snapshots(folder).make()
            (folder / "complete").touch()
    return Snapshots(folder)
