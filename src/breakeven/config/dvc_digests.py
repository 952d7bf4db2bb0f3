"""Digests of files and folders as DVC writes them to `dvc.lock`, remembered between processes."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from breakeven.core.files import read_memory, write_json

FOLDER_SUFFIX = ".dir"  # at the end of a folder's digest


class DvcDigests:
    """Digests of files. A file is read again only after a change of its size, times or inode."""

    def __init__(self, memory: Path) -> None:
        """Read what earlier processes noted in the file `memory`."""
        self._memory = memory
        self._known = read_memory(memory)
        self._changed = False

    def of(self, path: Path) -> str:
        """Return DVC's digest of a file or folder; "" if it is missing."""
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            entries = [
                {"md5": self._file(each), "relpath": each.relative_to(path).as_posix()} for each in files
            ]
            entries.sort(key=lambda entry: entry["relpath"])
            text = json.dumps(entries, sort_keys=True)
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest() + FOLDER_SUFFIX
        return self._file(path) if path.is_file() else ""

    def save(self) -> None:
        """Note the digests for later processes."""
        if self._changed:
            noted = {path: each for path, each in self._known.items() if Path(path).exists()}
            with suppress(OSError):  # a repository that may not be written to is read anew each time
                write_json(self._memory, noted)

    def _file(self, path: Path) -> str:
        status = path.stat()
        version = [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
        name = str(path.absolute())
        noted = self._known.get(name)
        if isinstance(noted, list) and noted[:-1] == version:
            return str(noted[-1])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
        self._known[name], self._changed = [*version, digest], True
        return digest
