"""Names and texts in a form that MLflow accepts: it refuses a whole batch for a single bad name."""

import posixpath
import re
from typing import Any

from breakeven.core.digests import fingerprint
from breakeven.core.secrets import redact

ALLOWED = re.compile(r"[/\w.\- :]+")
LONGEST_NAME, LONGEST_PARAM, LONGEST_TAG = 250, 6000, 8000  # characters, MLflow's own limits


def name(given: str) -> str:
    """Return a name of a parameter, metric or tag that MLflow accepts.

    A name that MLflow accepts stays as it is. In others, `_` replaces what it refuses. A digest of the given
    name follows, so that two names stay two.
    """
    if ALLOWED.fullmatch(given) and len(given) <= LONGEST_NAME and _is_plain_path(given):
        return given
    parts = re.sub(r"[^/\w.\- :]", "_", given).split("/")
    plain = "/".join(part for part in parts if part not in ("", ".", ".."))
    digest = fingerprint(given)[:6]
    return f"{plain[: LONGEST_NAME - len(digest) - 1]}_{digest}"


def text(value: Any, longest: int) -> str:
    """Return a value as text that every store can hold: without credentials, at most `longest` characters."""
    plain = redact(str(value)).replace("\0", "")
    return plain.encode("utf-8", "replace").decode()[:longest]


def _is_plain_path(given: str) -> bool:
    return posixpath.normpath(given) == given and given != "." and not given.startswith(("/", ".."))
