"""Bodies made while they are sent: chunk by chunk, in threads, no faster than they are read."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import Executor

from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

_SLOW_SECONDS = 30.0
_log = logging.getLogger("handbill.http")


class Chunks:
    """Chunks that are made in threads, one after the other, and closed when none is being made."""

    def __init__(self, made: Iterator[bytes], threads: Executor) -> None:
        self._made = made
        self._threads = threads
        self._step: asyncio.Future[bytes] | None = None

    async def next(self) -> bytes:
        """The next chunk; empty at the end."""
        loop = asyncio.get_running_loop()
        self._step = loop.run_in_executor(self._threads, next, self._made, b"")
        return await asyncio.shield(self._step)

    async def first(self) -> bytes:
        """The first chunk, made before the status is sent, so that a failure here gets a normal
        error answer; then the chunks are closed.
        """
        try:
            return await self.next()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Release the source of the chunks."""
        if self._step is not None:
            await asyncio.wait({self._step})  # whoever waited for it may have left
        ending = getattr(self._made, "close", None)
        if ending is not None:
            await asyncio.get_running_loop().run_in_executor(self._threads, ending)


class ChunkedAnswer(StreamingResponse):
    """An answer whose chunks are sent one by one, and closed in any case.

    It ends when the reader leaves, or takes nothing for 30 seconds, or when the body fails.
    """

    def __init__(
        self,
        first: bytes,
        chunks: Chunks,
        status: int,
        headers: Mapping[str, str],
        slow_seconds: float = _SLOW_SECONDS,
    ) -> None:
        super().__init__(self._all(first), status, headers)
        self._chunks = chunks
        self._slow_seconds = slow_seconds

    async def _all(self, chunk: bytes) -> AsyncIterator[bytes]:
        while chunk:
            yield chunk
            chunk = await self._chunks.next()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            async with asyncio.timeout(self._slow_seconds):
                await send(message)

        try:
            await super().__call__(scope, receive, in_time)
        except TimeoutError:
            _log.warning("a reader took nothing for %d seconds", self._slow_seconds)
        finally:
            await self._chunks.close()
