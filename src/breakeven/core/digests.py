"""Digests of files and of values, which are checked before a file is used."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from breakeven.core.errors import UserError

SHORT_DIGEST_LENGTH = 16  # characters of a digest that need not be complete


def sha256(path: Path) -> str:
    """Return the sha256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """Return the digest of a file that may be large, in hexadecimal.

    A process reads the file once, and reads it again only after a change of its size or times.
    """
    status = path.stat()
    return _digest(path, algorithm, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


@cache
def _digest(path: Path, algorithm: str, version: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def digests(folder: Path) -> list[str]:
    """Return the sha256 of every file in a folder and below it, in the order of their paths."""
    return [sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()]


def require_sha256(path: Path, expected: str) -> None:
    """Raise an error unless the file still has the sha256 that was recorded when it was written.

    Raises:
        UserError: the file is missing, or its sha256 differs from `expected`.
    """
    if not path.is_file():
        raise UserError(f"{path} is missing: run `dvc repro` to make it again.")
    if (actual := sha256(path)) != expected:
        raise UserError(
            f"{path} was changed after it was written (sha256 {actual[:12]}…, recorded {expected[:12]}…): "
            f"delete its folder and run `dvc repro`."
        )


def fingerprint(*values: Any) -> str:
    """Return a digest of 16 characters for values that JSON can hold. It is equal in every process."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:SHORT_DIGEST_LENGTH]
