"""A memory of parsed Python files: a repeated `dvc repro` hashes the files, and parses only changed ones."""

import ast
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from breakeven.core import source_imports, source_text
from breakeven.core.errors import UserError
from breakeven.core.files import read_memory, write_text
from breakeven.core.source_imports import References, find_references
from breakeven.core.source_text import code_lines, decode

SHORT_DIGEST_LENGTH = 16  # characters of a digest


@dataclass(frozen=True)
class ParsedFile:
    """The digest and the references of a Python file."""

    digest: str  # of its code; "" for a file that has only comments and a docstring
    references: References


class SourceMemory:
    """A mapping from a file's content to its parsed form. It cannot be stale, because content is the key."""

    def __init__(self, path: Path) -> None:
        """Name the file that keeps the memory; it need not exist."""
        self._path = path
        self._entries: dict[str, Any] | None = None
        self._has_news = False

    def parse(self, path: Path, content: bytes) -> ParsedFile:
        """Return the digest and the references of a file.

        Args:
            path: the file's path, for messages.
            content: the file's bytes.

        Raises:
            UserError: Python cannot parse the file.
        """
        key = hashlib.sha256(content).hexdigest()
        entries = self._load()
        if key not in entries:
            entries[key] = asdict(parse(path, content))
            self._has_news = True
        return ParsedFile(entries[key]["digest"], References(**entries[key]["references"]))

    def save(self) -> None:
        """Write the memory to its file, for other processes."""
        if self._has_news:
            write_text(self._path, json.dumps({"parser": _parser(), "files": self._entries}))
            self._has_news = False

    def _load(self) -> dict[str, Any]:
        if self._entries is None:
            noted = read_memory(self._path)
            self._entries = noted["files"] if noted.get("parser") == _parser() else {}
        return self._entries


def parse(path: Path, content: bytes) -> ParsedFile:
    """Return the digest and the references of a file, without a memory.

    Args:
        path: the file's path, for messages.
        content: the file's bytes.

    Raises:
        UserError: Python cannot parse the file.
    """
    try:
        text = decode(content)
        tree = ast.parse(text)
    except (SyntaxError, ValueError) as error:  # ValueError: a null byte
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else error
        raise UserError(f"{path}{line}: {reason}: Python cannot read it.") from None
    lines = b"\n".join(code_lines(text, tree))
    return ParsedFile(
        hashlib.sha256(lines).hexdigest()[:SHORT_DIGEST_LENGTH] if lines else "", find_references(tree)
    )


def _parser() -> str:
    """Return a digest of the code that parses files, because other code may find other references."""
    modules = (source_text, source_imports)
    return hashlib.sha256(b"".join(Path(str(module.__file__)).read_bytes() for module in modules)).hexdigest()
