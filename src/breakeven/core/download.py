"""Downloads of files: a file is complete or absent, and its progress is shown."""

import time
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.request import Request, urlopen

from breakeven.core.estimate import Estimate
from breakeven.core.files import atomic
from breakeven.core.progress import shown

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 60.0  # longest wait for the next bytes


def download(addresses: Sequence[str], target: Path) -> None:
    """Download `target` from the first of `addresses` that has it, unless it is there already.

    Raises:
        OSError, HTTPException: no address has the file; this is the error of the last address.
    """
    if target.exists():
        return None
    *first_addresses, last_address = addresses
    for address in first_addresses:
        try:
            return _download(address, target)
        except (OSError, HTTPException):
            continue
    return _download(last_address, target)


def _download(address: str, target: Path) -> None:
    request = Request(address, headers={"User-Agent": "breakeven"})
    with urlopen(request, timeout=TIMEOUT_S) as answer, atomic(target) as temporary:
        size = int(answer.headers.get("Content-Length") or 0)
        with shown(f"download {target.name}", size) as on, temporary.open("wb") as file:
            estimate, of = Estimate(size), f" of {size / 1e6:.1f}" if size else ""
            began = time.monotonic()
            while chunk := answer.read(CHUNK_BYTES):
                file.write(chunk)
                estimate.finish(time.monotonic() - began, len(chunk))
                began = time.monotonic()
                on.pace(estimate.done, f"{estimate.done / 1e6:.1f}{of} MB", estimate.left())
        if size and estimate.done != size:
            raise OSError(f"{address} broke off after {estimate.done:.0f} of {size} bytes")
