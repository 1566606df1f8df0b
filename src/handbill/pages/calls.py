"""Calls of the public operations for one page: in this process, without a socket, and recorded."""

import asyncio
import shlex
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlencode

from starlette.types import ASGIApp, Message

from handbill.host.clock import ticking
from handbill.kit.jsons import NotJson, decode, encode

JSON = "application/json"
Query = Mapping[str, Any]


def at(*parts: object) -> str:
    """A path of these parts; each may contain any characters."""
    return "".join(f"/{quote(str(part), safe='')}" for part in parts)


def asked(path: str, query: Query | None = None) -> str:
    """A path with a query. What is None or empty is left out."""
    pairs = [(name, value) for name, value in (query or {}).items() if value not in (None, "")]
    return f"{path}?{urlencode(pairs)}" if pairs else path


@dataclass(frozen=True)
class Called:
    """A call as it was made. ``size``: bytes of the answer."""

    verb: str
    url: str
    body: bytes
    client_id: str
    status: int
    ms: float
    size: int

    def curl(self, address: str) -> str:
        """The same call as a command, at the API's public address; the reader has the secrets."""
        parts = [f"curl {shlex.quote(address + self.url)}"]
        if self.verb != "GET":
            parts[0] = f"curl -X {self.verb} {shlex.quote(address + self.url)}"
        parts += [
            '-H "x-api-key: $KEY"',
            '-H "x-authorization-key: $TOKEN"',
        ]
        if self.client_id:
            parts.append(f"-H {shlex.quote(f'x-client-id: {self.client_id}')}")
        if self.body:
            parts.append(f"-H 'content-type: {JSON}'")
            parts.append(f"-d {shlex.quote(self.body.decode())}")
        return " \\\n  ".join(parts)


@dataclass(frozen=True)
class Reply:
    """An answer. ``json``: None where the body is not JSON."""

    status: int
    headers: Mapping[str, str]
    raw: bytes
    json: Any
    call: Called


class Declined(Exception):
    """The API has refused a call: its status, its message, and its faults by JSON pointer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.call.verb} {reply.call.url}: {reply.status}")
        body = reply.json if isinstance(reply.json, dict) else {}
        self.status = reply.status
        self.message: str = body.get("message", "")
        self.request_id: str = body.get("requestId", "")
        self.faults: dict[str, str] = {
            fault["field"]: fault["message"] for fault in body.get("errors", ())
        }
        self.retry_seconds = reply.headers.get("retry-after", "")


async def allowed(asking: Awaitable[Reply]) -> Reply | None:
    """The answer, or None where the visitor may not look."""
    try:
        return await asking
    except Declined as declined:
        if declined.status != 403:
            raise
        return None


@dataclass
class Calls:
    """The calls that one page makes, with the visitor's credential, in the order of their ends."""

    api: ASGIApp
    credential: Mapping[str, str]
    request_id: str
    peer: tuple[str, int]
    made: list[Called] = field(default_factory=list)

    async def get(self, path: str, query: Query | None = None, *, client_id: str = "") -> Reply:
        """The answer to a GET. **Refuses** (Declined) whatever the API refuses."""
        return await self.ask("GET", asked(path, query), client_id=client_id)

    async def ask(
        self, verb: str, url: str, body: Any = None, *, client_id: str = "", known: str = ""
    ) -> Reply:
        """The answer to any call. ``client_id``: sent as x-client-id; ``known``: the version that
        the change goes by, as If-Match.

        **Refuses** (Declined) whatever the API refuses.
        """
        sent = b"" if body is None else encode(body)
        began = ticking()
        more = {"x-client-id": client_id, "if-match": known}
        status, headers, raw = await self._called(verb, url, sent, more)
        ms = round((ticking() - began) * 1000, 1)
        call = Called(verb, url, sent, client_id, status, ms, len(raw))
        self.made.append(call)
        reply = Reply(status, headers, raw, _json(headers, raw), call)
        if status >= 400:
            raise Declined(reply)
        return reply

    async def all_of(self, *paths: str) -> list[Reply]:
        """The answers to several GETs at a time, in this order."""
        return await asyncio.gather(*(self.get(path) for path in paths))

    async def _called(
        self, verb: str, url: str, sent: bytes, more: Mapping[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        path, _, query = url.partition("?")
        headers = {"host": "pages", "x-request-id": self.request_id, **self.credential}
        headers |= {name: text for name, text in more.items() if text}
        headers |= {"content-type": JSON, "content-length": str(len(sent))} if sent else {}
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
            "client": self.peer,
            "server": ("pages", 80),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        return await _answered(self.api, scope, sent)


async def _answered(
    api: ASGIApp, scope: dict[str, Any], sent: bytes
) -> tuple[int, dict[str, str], bytes]:
    bodies = [sent]
    parts: list[bytes] = []
    begun: dict[str, Any] = {}

    async def receive() -> Message:
        if not bodies:
            await asyncio.Event().wait()  # the page stays until it is answered
        return {"type": "http.request", "body": bodies.pop(), "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            begun.update(message)
        else:
            parts.append(message.get("body", b""))

    await api(scope, receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in begun["headers"]}
    return begun["status"], headers, b"".join(parts)


def _json(headers: Mapping[str, str], raw: bytes) -> Any:
    if not headers.get("content-type", "").startswith(JSON):
        return None
    try:
        return decode(raw)
    except NotJson as broken:
        raise ValueError("the API has answered what is not JSON") from broken
