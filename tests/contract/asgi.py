"""Calls an ASGI application in this process: no sockets, no client library."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import cache
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import unquote

from handbill.kit.jsons import decode, encode

_T = TypeVar("_T")
Headers = dict[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def json(self) -> Any:
        return decode(self.raw)


def call(
    app: Callable[..., Any],
    verb: str,
    url: str,
    body: Any = None,
    headers: Headers = (),
    raw: bytes | None = None,
    *,
    cut: bool = False,
) -> Reply:
    """One request. ``raw`` is sent as it is; ``body`` as JSON. ``cut``: the body breaks off."""
    return running(calling(app, verb, url, body, headers, raw, cut=cut))


def running(play: Coroutine[Any, Any, _T]) -> _T:
    """What a coroutine comes to on the loop of all requests."""
    return asyncio.run_coroutine_threadsafe(play, _loop()).result()


async def calling(
    app: Callable[..., Any],
    verb: str,
    url: str,
    body: Any = None,
    headers: Headers = (),
    raw: bytes | None = None,
    *,
    cut: bool = False,
) -> Reply:
    """The same, for who is on that loop already."""
    path, _, query = url.partition("?")
    sent = raw if raw is not None else b"" if body is None else encode(body)
    pairs = [("host", "api"), *(headers.items() if isinstance(headers, dict) else headers)]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in pairs],
    }
    return await _call(app, scope, sent, cut)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The one loop of all requests, as a server has one, whichever threads they come from."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, name="loop", daemon=True).start()
    return loop


async def _call(app: Callable[..., Any], scope: dict[str, Any], sent: bytes, cut: bool) -> Reply:
    parts: list[dict[str, Any]] = []
    messages = [{"type": "http.request", "body": sent, "more_body": cut}]

    async def receive() -> dict[str, Any]:
        if not messages and not cut:
            await asyncio.Event().wait()  # the caller stays until it is answered
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        parts.append(message)

    await app(scope, receive, send)
    headers: dict[str, str] = {}
    for name, value in parts[0]["headers"]:
        said = headers.get(name.decode("latin-1"), "")  # cookies are set one by one
        headers[name.decode("latin-1")] = f"{said}, {value.decode('latin-1')}".removeprefix(", ")
    raw = b"".join(part.get("body", b"") for part in parts[1:])
    return Reply(parts[0]["status"], headers, raw)
