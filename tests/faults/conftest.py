"""The smallest study, finished once, with a copy of it before each of its stages."""

import pytest
from filelock import FileLock
from snapshots import Snapshots


@pytest.fixture(scope="session")
def snapshots(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Snapshots:
    """The study, stage by stage; made once for all of xdist's workers."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent
    folder = base / "snapshots"
    with FileLock(base / "snapshots.lock"):
        if not (folder / "complete").exists():
            folder.mkdir()
            Snapshots(folder).make()
            (folder / "complete").touch()
    return Snapshots(folder)
