"""An agency's own program, which calls the API in this process as it would over the network."""

from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import msgspec
from starlette.types import ASGIApp, Message, Scope

from handbill.kit.instants import HOUR, Instant
from handbill.kit.jsons import encode

_TOKEN_LASTS = 20 * HOUR
_JSON = msgspec.json.Decoder(float_hook=Decimal)
_PEER = ("192.0.2.1", 40_000)


class Unexpected(AssertionError):
    """The API gave an answer that it must not give."""


async def answer_of(
    app: ASGIApp, verb: str, url: str, headers: dict[str, str], body: Any = None
) -> tuple[int, bytes]:
    """The status and body of one answer."""
    path, _, query = url.partition("?")
    sent = b"" if body is None else encode(body)
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": verb,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "client": _PEER,
        "server": ("127.0.0.1", 80),
        "headers": [
            (b"host", b"api"),
            *((name.encode(), value.encode()) for name, value in headers.items()),
        ],
    }
    parts: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": sent, "more_body": False}

    async def send(message: Message) -> None:
        parts.append(message)

    await app(scope, receive, send)
    return parts[0]["status"], b"".join(part.get("body", b"") for part in parts[1:])


class Asker:
    """Holds a key, and requests a new token shortly before the former one ends."""

    def __init__(self, api_key: str, api_client_id: str) -> None:
        self._headers = {"x-api-key": api_key, "content-type": "application/json"}
        self._api_client_id = api_client_id
        self._signed_in_at: Instant | None = None

    async def ask(
        self, app: ASGIApp, now: Instant, verb: str, url: str, body: Any = None, **headers: str
    ) -> Any:
        """One call. **Refuses** any answer but a success (Unexpected)."""
        if self._signed_in_at is None or now - self._signed_in_at > _TOKEN_LASTS:
            asked = {"client_id": self._api_client_id}
            status, raw = await answer_of(app, "POST", "/token", self._headers, asked)
            if status != 200:
                raise Unexpected(f"POST /token answered {status}: {raw.decode()}")
            self._headers["x-authorization-key"] = _JSON.decode(raw)["access_token"]
            self._signed_in_at = now
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, raw = await answer_of(app, verb, url, self._headers | named, body)
        if status >= 300:
            raise Unexpected(f"{verb} {url} {body} answered {status}: {raw.decode()}")
        return _JSON.decode(raw)
