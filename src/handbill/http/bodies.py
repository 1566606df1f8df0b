"""The body of a request: whole, within its limit and its time."""

import asyncio

from handbill.http.asgi import Headers, Receive
from handbill.kit.faults import Fault, Refused, bad_request

_MOST_BODY = 1_000_000
_MOST_BODY_OF_MANY = 8_000_000
_BODY_SECONDS = 15


class Broken(Exception):
    """The body ended before its end."""


async def body_of(receive: Receive, headers: Headers, *, many: bool) -> bytes:
    """The whole body. **Refuses** a larger one (413), a slow one (400), one that ends (Broken)."""
    most = _MOST_BODY_OF_MANY if many else _MOST_BODY
    told = headers.get("content-length")
    length = int(told) if told.isdecimal() else None
    if length is not None and length > most:
        raise Refused(413, f"The body is larger than {most} bytes")
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _whole(receive, length, most)
    except TimeoutError:
        fault = Fault("", f"the body did not arrive within {_BODY_SECONDS} seconds")
        raise bad_request([fault]) from None


async def _whole(receive: Receive, length: int | None, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Broken
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise Refused(413, f"The body is larger than {most} bytes")
        chunks.append(chunk)
        # What has the length that was told needs no further word that it is whole.
        if size == length or not message.get("more_body", False):
            break
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
