"""In front of the application: whoever fails too often, or sends too much at once, must wait.

It answers 429. Its state is in memory, bounded, and lost with the process: it only saves work and
noise; secrets of 200 bits are protected by their length. **Source**: contract 2; safety.md section
1 (limit failures per prefix and address).
"""

import re
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from handbill.host import security
from handbill.host.clock import Clock
from handbill.host.ids import Ids, new_name
from handbill.http.answers import whole
from handbill.http.buckets import Buckets
from handbill.http.operations import Answer
from handbill.kit.addresses import network_of
from handbill.kit.instants import SECOND, http_date_of

_FAILURES = frozenset({401, 403})
_ALWAYS = frozenset({"/livez", "/readyz", "/metrics"})
_PREFIX = re.compile(rb"(?:hb_|bearer hbs_)([a-z0-9]{12})_", re.IGNORECASE)
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=:%\[\]-]+")
_ONE_MOMENT = 1
AddressOf = Callable[[str, bytes], str]
"""The address of the caller, from the peer's address and X-Forwarded-For."""


class Front:
    """The application behind its limits.

    An address that has failed too often is refused. A key's prefix that has failed too often is
    refused only to addresses that failed lately themselves: a key cannot be locked out by others.
    An address with too many requests under way, unfinished bodies included, is refused another one,
    and that connection is closed. 0: no limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        clock: Clock,
        ids: Ids,
        address_of: AddressOf,
        *,
        failures_per_minute: int,
        requests_at_once: int,
    ) -> None:
        self._app = app
        self._clock = clock
        self._ids = ids
        self._address_of = address_of
        self._failures, self._at_once = failures_per_minute, requests_at_once
        self._addresses = Buckets(failures_per_minute or 1)
        self._prefixes = Buckets(failures_per_minute or 1)
        self._under_way: dict[str, int] = {}  # no longer than the number of connections

    def named(self, scope: Scope) -> dict[str, str]:
        """The caller, as logged: the address, and the public part of the key."""
        headers = dict(scope["headers"])
        peer = scope.get("client") or ("", 0)
        address = self._address_of(peer[0], headers.get(b"x-forwarded-for", b""))
        return {"address": address, "prefix": _prefix_of(headers)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_sound(scope):
            await self._refuse(scope, receive, send, 400, "Bad request", 0, closes=True)
        elif scope["type"] != "http" or scope["path"] in _ALWAYS:
            await self._app(scope, receive, send)
        else:
            await self._counted(scope, receive, send)

    async def _counted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on unless its address has too many under way."""
        headers = dict(scope["headers"])
        peer = scope.get("client") or ("", 0)
        caller = self._address_of(peer[0], headers.get(b"x-forwarded-for", b""))
        scope["client"] = (caller, peer[1])  # for all that follows, the pages' own calls too
        address = network_of(caller)
        count, most = self._under_way.get(address, 0), self._at_once
        if most and count >= most:
            security.note("too_many_at_once", address=address)
            await self._refuse(
                scope, receive, send, 429, "Too Many Requests", _ONE_MOMENT, closes=True
            )
            return
        self._under_way[address] = count + 1
        try:
            if self._failures:
                prefix = _prefix_of(headers)
                await self._limited(address, prefix, scope, receive, send)
            else:
                await self._app(scope, receive, send)
        finally:
            self._leave(address)

    def _leave(self, address: str) -> None:
        self._under_way[address] -= 1
        if not self._under_way[address]:
            del self._under_way[address]

    async def _limited(
        self, address: str, prefix: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Pass the request on unless its address or key has failed too often."""
        addresses, now = self._addresses, self._clock.now()
        wait = addresses.wait(address, now)
        if not wait and prefix and addresses.has_failed(address, now):
            wait = self._prefixes.wait(prefix, now)
        if wait:
            security.note("locked_out", address=address, prefix=prefix)
            await self._refuse(scope, receive, send, 429, "Too Many Requests", -(-wait // SECOND))
            return

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in _FAILURES:
                addresses.fail(address, now)
                if prefix:
                    self._prefixes.fail(prefix, now)
            await send(message)

        await self._app(scope, receive, noting)

    async def _refuse(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        status: int,
        message: str,
        seconds: int,
        *,
        closes: bool = False,
    ) -> None:
        request_id = new_name(self._ids, 20)
        headers = {"retry-after": str(seconds)} if seconds else {}
        if closes:
            headers["connection"] = "close"
        answer = Answer({"message": message, "requestId": request_id}, status, headers)
        await whole(answer, request_id, scope)(scope, receive, send)


def dated(app: ASGIApp, clock: Clock) -> ASGIApp:
    """The application with a Date header by this clock; the server's own is the machine's."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        async def dating(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = (b"date", http_date_of(clock.now()).encode())
                message["headers"] = [*message["headers"], date]
            await send(message)

        await app(scope, receive, dating)

    return answer


def _is_sound(scope: Scope) -> bool:
    """Whether a request names one host, and has one kind of body length (RFC 9112, 3.2 and 6.1).

    The server passes on an empty host as if there were none, and refuses other malformed HTTP.
    """
    hosts = codings = lengths = 0
    for name, value in scope["headers"]:
        if name == b"host":
            hosts += 1 if _HOST.fullmatch(value) else 2
        elif name == b"content-length":
            lengths += 1
        elif name == b"transfer-encoding":
            codings += 1 if value.strip().lower() == b"chunked" else 2
    is_named = hosts == 1 or (scope["http_version"] == "1.0" and _names_none(scope))
    return is_named and codings + lengths <= 1


def _names_none(scope: Scope) -> bool:
    return not any(value for name, value in scope["headers"] if name == b"host")


def _prefix_of(headers: Mapping[bytes, bytes]) -> str:
    """The public part of a key or session, if it may be one; else nothing, so that names cannot be
    made up.
    """
    parts = _PREFIX.match(headers.get(b"x-api-key") or headers.get(b"authorization", b""))
    return parts[1].decode() if parts else ""
