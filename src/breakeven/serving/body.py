"""The body of a request, within limits of size and time; of a form, the file in it."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect, Request

from breakeven.serving.refusal import BAD, TIMEOUT, TOO_LARGE, Refused
from breakeven.serving.settings import Limits

FIELDS = 4  # of a form, besides its file


async def body_of(request: Request, limits: Limits) -> bytes:
    """Return the bytes that a client sends: of a form those of its file, otherwise all.

    Raises:
        Refused: they are too many, come too slowly, or are a form without one file.
    """
    try:
        async with asyncio.timeout(limits.body_s):
            body = await _limited(request, limits.body_bytes)
    except TimeoutError:
        raise Refused(TIMEOUT, f"The body did not come within {limits.body_s:g} s.") from None
    except ClientDisconnect:
        raise Refused(BAD, "The client went away before its body was here.") from None
    if request.headers.get("content-type", "").startswith("multipart/"):
        return await _file_of(request, body)
    return body


async def _limited(request: Request, most: int) -> bytes:
    told = request.headers.get("content-length", "")
    body = bytearray()
    if not told.isdigit() or int(told) <= most:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                break
        else:
            return bytes(body)
    raise Refused(TOO_LARGE, f"The body is larger than {most:,} bytes.")


async def _file_of(request: Request, body: bytes) -> bytes:
    async def once() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        parser = MultiPartParser(
            request.headers, once(), max_files=1, max_fields=FIELDS, max_part_size=len(body) + 1
        )
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError):
        raise Refused(BAD, "The form cannot be read, or holds more than one file.") from None
    try:
        for value in form.values():
            if not isinstance(value, str):
                return await value.read()
    finally:
        await form.close()
    raise Refused(BAD, 'The form holds no file: name its field "file".')
