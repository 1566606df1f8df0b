"""ASGI as it is used here: headers that are read when they are asked for, and one way to send."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from itertools import chain
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Pair = tuple[bytes, bytes]

_NO_LENGTH = frozenset({204, 304})  # RFC 9110, 8.6


class Headers:
    """The headers of a request. Names are lower case, as ASGI has them."""

    __slots__ = ("_last", "_pairs")

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        self._last = dict(pairs)

    def get(self, name: str, default: str = "") -> str:
        """The last one of that name."""
        value = self._last.get(name.encode())
        return default if value is None else value.decode("latin-1")

    def every(self, name: str) -> list[str]:
        """All of that name, in order."""
        sought = name.encode()
        last = self._last.get(sought)
        if last is None:
            return []
        if len(self._last) == len(self._pairs):  # no name comes twice
            return [last.decode("latin-1")]
        return [value.decode("latin-1") for known, value in self._pairs if known == sought]

    def __contains__(self, name: str) -> bool:
        return name.encode() in self._last

    def size(self) -> int:
        """How many bytes names and values have together."""
        return len(b"".join(chain.from_iterable(self._pairs)))


def pairs_of(headers: Mapping[str, str]) -> list[Pair]:
    """Headers as they are sent."""
    return [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]


async def send_whole(
    send: Send, status: int, headers: list[Pair], body: bytes, *, is_head: bool = False
) -> None:
    """Send an answer whose body is there, with its length; to a HEAD the length alone, which may
    be told already.
    """
    is_told = is_head and any(name == b"content-length" for name, _ in headers)
    if not is_told and (is_head or status not in _NO_LENGTH):
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if is_head else body})
