"""The removal of credentials from text that is printed, logged or stored."""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO
from urllib.parse import unquote

HIDDEN = "***"
# In an address, the user and the password stand between :// and the last @ before the host. A password that
# is not quoted may hold a slash, a # or a ?; so after a colon, everything up to the last @ is hidden.
# A quotation mark ends it only before a space or a separator: elsewhere it is a part of the password.
MARK = r"['\"](?![\s,;:)\]}.]|$)"
USER = re.compile(
    rf"(?<=://)(?:(?:[^\s/?#'\"<>]|{MARK})*@|(?:[^\s/?#'\"<>@]|{MARK})*:(?:[^\s'\"<>]|{MARK}|[<>](?=\w))*@)"
)
# The same without a scheme: user:password@host
USER_WITHOUT_SCHEME = re.compile(rf"(?<![\w/:.+@-])[\w.+-]+:(?:[^\s/@'\":,;={{}}()\[\]]|{MARK})+@(?=[\w\[])")
# The name of a saved view in MLflow's UI is no secret.
PARAMETER = re.compile(
    rf"([?&;](?!viewStateShareKey=)[\w.-]*(?:passw|pwd|token|secret|sig|credential|key)[\w.-]*=)(?:[^&;\s'\"<>]|{MARK})+",
    re.IGNORECASE,
)
# A word of a database's connection string
WORD = re.compile(
    r"(?<![\w.])((?:password|passwd|pwd)\s*=\s*)(?:'[^']*'|(?:[^\s;,)'\"]|" + MARK + r")+)", re.IGNORECASE
)
# An address with a password. In an address of the web, a user alone is usually a token.
CREDENTIALS = re.compile(r"https?://[^\s/?#]*@|://[^\s/?#@]*:[^\s/?#]*@", re.IGNORECASE)
SECRET_VARIABLE = re.compile(r"PASSW|TOKEN|SECRET|ACCESS_KEY|CREDENTIAL", re.IGNORECASE)
ADDRESS = re.compile(r"(?:://|^)[^\s:/@]*:(?P<password>\S+)@")
SHORTEST = 4  # characters of a secret that is hidden wherever it stands


def redact(text: str) -> str:
    """Return `text` with `***` in place of the user and the password of every address.

    Parameters of an address that are called passwords, tokens, keys or signatures lose their values too.
    """
    if "@" in text:
        text = USER_WITHOUT_SCHEME.sub(f"{HIDDEN}@", USER.sub(f"{HIDDEN}@", text))
    if "=" in text:
        text = WORD.sub(rf"\1{HIDDEN}", PARAMETER.sub(rf"\1{HIDDEN}", text))
    return text


def redact_all(value: Any) -> Any:
    """Return `value` with every string in it redacted, also within lists and dictionaries."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        return {redact_all(key): redact_all(entry) for key, entry in value.items()}
    return [redact_all(entry) for entry in value] if isinstance(value, list | tuple) else value


def redact_error(error: BaseException) -> str:
    """Return the message of another library's error without credentials.

    The message may quote a part of an address, so the secrets in this process's environment variables are
    replaced wherever they stand in it.
    """
    text = redact(str(error))
    for secret in sorted(_secrets_in_environment(), key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", HIDDEN, text)
    return text


def holds_credentials(text: str) -> bool:
    """Return whether `text` holds an address with a password, a token or a signature."""
    return bool(CREDENTIALS.search(text) or ("://" in text and PARAMETER.search(text)))


def hide_in_output() -> None:
    """Redact what Python code prints to stdout and stderr from now on: messages, logs and tracebacks."""
    sys.stdout, sys.stderr = (
        stream if isinstance(stream, RedactingStream) else RedactingStream(stream)
        for stream in (sys.stdout, sys.stderr)
    )


def _secrets_in_environment() -> set[str]:
    """Return the secrets in environment variables, and the parts of passwords that a parser may quote."""
    secrets = set()
    for name, value in os.environ.items():
        if SECRET_VARIABLE.search(name):
            secrets.add(value)
        if match := ADDRESS.search(value):
            password = match["password"]
            secrets |= {password, unquote(password), *re.split(r"[/?#@:]", password)}
    return {secret for secret in secrets if len(secret) >= SHORTEST}


class RedactingStream:
    """A text stream that redacts what is written to it, and is the wrapped stream in everything else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write `text` without credentials, and return its length."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write lines without credentials."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
