"""How the demo calls the server that it has started, and nothing else.

The rule that one module opens outbound sockets is about addresses given by strangers. The demo
plays the outside world on loopback: the agency, the publishers, the visitors, the careers pages.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import msgspec

_MOST_BODY = 64 * 1024**2
_FIRST_PAUSE = 0.05
_MOST_PAUSE = 1.0
_Found = TypeVar("_Found")


class DemoFailed(Exception):
    """The demo did not give the expected result; the message says where."""


@dataclass(slots=True)
class AgencyProgram:
    """An agency's own program: it holds a key, and a token once it has requested one."""

    session: aiohttp.ClientSession
    address: str
    api_key: str
    api_client_id: str
    token: str = field(default="", repr=False)

    async def sign_in(self) -> None:
        body = {"client_id": self.api_client_id}
        self.token = (await self.ask("POST", "/token", body))["access_token"]

    async def ask(
        self, verb: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> Any:
        """One call of the REST API. **Refuses** any answer but a success (DemoFailed)."""
        sent = {"x-api-key": self.api_key, **(headers or {})}
        if self.token:
            sent["x-authorization-key"] = self.token
        content = None
        if body is not None:
            content = msgspec.json.encode(body)
            sent["content-type"] = "application/json"
        async with self.session.request(
            verb, self.address + path, data=content, headers=sent
        ) as answer:
            raw = await answer.content.read(_MOST_BODY)
            if answer.status >= 300:
                text = raw[:2_000].decode(errors="replace")
                raise DemoFailed(f"{verb} {path} answered {answer.status}: {text}")
            return msgspec.json.decode(raw)


async def fetched(session: aiohttp.ClientSession, url: str) -> bytes:
    """A public file. **Refuses** any answer but 200 (DemoFailed)."""
    async with session.get(url) as answer:
        raw = await answer.read()
        if answer.status != 200:
            raise DemoFailed(f"GET {url} answered {answer.status}")
        return raw


async def until(what: str, ask: Callable[[], Awaitable[_Found | None]], seconds: float) -> _Found:
    """Ask again and again until there is an answer. **Refuses** to wait too long (DemoFailed)."""
    pause = _FIRST_PAUSE
    try:
        async with asyncio.timeout(seconds):
            while (answer := await ask()) is None:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _MOST_PAUSE)
            return answer
    except TimeoutError:
        raise DemoFailed(f"{what}: not after {seconds:.0f} seconds") from None
