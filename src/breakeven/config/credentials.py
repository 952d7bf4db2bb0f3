"""The refusal of settings that hold credentials: settings are stored with each result, and often in git."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from breakeven.core.errors import UserError
from breakeven.core.secrets import holds_credentials, redact

REMEDY = (
    "it holds credentials, which would be stored with each result: write the address without them, and give "
    "them by ~/.netrc or by environment variables"
)


def require_no_credentials(settings: Mapping[str, Any]) -> None:
    """Check that no setting is an address with credentials.

    Raises:
        UserError: a sentence for each setting that is, without the credentials.
    """
    texts = {key: value for key, value in _texts(settings) if holds_credentials(value)}
    if texts:
        raise UserError("\n".join(f"{key}={redact(value)}: {REMEDY}." for key, value in texts.items()))


def require_no_credentials_in(overrides: Iterable[str]) -> None:
    """Check that no override of a command line holds an address with credentials.

    Raises:
        UserError: a sentence for each override that does, without the credentials.
    """
    refused = [override for override in overrides if holds_credentials(override)]
    if refused:
        raise UserError("\n".join(f"{redact(override)}: {REMEDY}." for override in refused))


def _texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key and the value of each string in `value`."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield from _texts(entry, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list | tuple):
        for number, entry in enumerate(value):
            yield from _texts(entry, f"{place}[{number}]")
