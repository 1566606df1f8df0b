"""Bodies that are made while they are sent: a chunk at a time, in threads, no faster than read."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import Executor
from functools import partial

from handbill.http.asgi import Pair, Receive, Send

_SLOW_SECONDS = 30
_log = logging.getLogger("handbill.http")


async def first_of(chunks: Iterator[bytes], threads: Executor) -> bytes:
    """The first chunk, empty when there is none: before the status is sent, so that what fails
    here is answered as any failure is; the chunks are closed then.
    """
    try:
        return await _next(chunks, threads)
    except BaseException:
        await close(chunks, threads)
        raise


async def send_all(
    first: bytes, chunks: Iterator[bytes], head: tuple[int, list[Pair]],
    wire: tuple[Receive, Send], threads: Executor, *, slow_seconds: float = _SLOW_SECONDS,
) -> None:  # fmt: skip
    """Send status, headers and all chunks, and close them in any case.

    A reader that leaves, one that takes nothing for 30 seconds, and a body that breaks, end it.
    """
    status, headers = head
    receive, send = wire
    gone = asyncio.Event()
    watch = asyncio.create_task(_watch(receive, gone))
    try:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        chunk = first
        while chunk and not gone.is_set():
            async with asyncio.timeout(slow_seconds):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await _next(chunks, threads)
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except TimeoutError:
        _log.warning("a reader took nothing for %d seconds", slow_seconds)
    finally:
        watch.cancel()
        await close(chunks, threads)


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    """Note when the reader leaves: servers say so after the body, which may not be read yet."""
    for _ in range(2):
        message = await receive()
        if message["type"] == "http.disconnect":
            gone.set()
            return


async def close(chunks: Iterator[bytes], threads: Executor) -> None:
    """Let go of what the chunks are made from."""
    ending = getattr(chunks, "close", None)
    if ending is not None:
        await asyncio.get_running_loop().run_in_executor(threads, ending)


async def _next(chunks: Iterator[bytes], threads: Executor) -> bytes:
    step = partial(next, chunks, b"")
    return await asyncio.get_running_loop().run_in_executor(threads, step)
