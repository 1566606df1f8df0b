"""What stands before the application: limits of failures and of requests at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from contract.office import NOON, Office
from handbill.api import fronted
from handbill.host.clock import SetClock
from handbill.host.ids import SeededIds
from handbill.http.buckets import Buckets
from handbill.http.front import Front
from handbill.kit.addresses import network_of
from handbill.kit.instants import MINUTE, SECOND
from handbill.kit.jsons import decode
from handbill.tracking.addresses import Proxies

PER_MINUTE = 10
GOOD, OTHER = "hb_aaaaaaaaaaaa_secret", "hb_bbbbbbbbbbbb_secret"


class House:
    """A front before an application that answers what it is told to; it counts its calls."""

    def __init__(
        self, per_minute: int = PER_MINUTE, trusted: tuple[str, ...] = (), at_once: int = 0
    ) -> None:
        self.clock = SetClock(NOON)
        self.answers = 200
        self.calls = 0
        address_of = Proxies(trusted).client_of
        self.front = Front(
            self.application,
            self.clock,
            SeededIds(1),
            address_of,
            failures_per_minute=per_minute,
            requests_at_once=at_once,
        )

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        body = (await receive())["body"]
        if body == b"breaks":
            raise ConnectionError
        await Response(b"{}", self.answers)(scope, receive, send)

    def ask(
        self, key: str = "", address: str = "192.0.2.1", path: str = "/clients", via: str = ""
    ) -> tuple[int, dict[str, str], Any]:
        headers = [(b"host", b"api")]
        headers += [(b"x-api-key", key.encode())] if key else []
        headers += [(b"x-forwarded-for", via.encode())] if via else []
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": headers,
            "client": (address, 1),
            "http_version": "1.1",
        }
        return asyncio.run(_asked(self.front, scope))

    def fail(self, times: int, **who: str) -> list[int]:
        self.answers = 401
        told = [self.ask(**who)[0] for _ in range(times)]
        self.answers = 200
        return told


async def _asked(app: Callable[..., Any], scope: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
    parts: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        parts.append(message)

    await app(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in parts[0]["headers"]}
    return parts[0]["status"], headers, decode(parts[1]["body"])


@pytest.mark.parametrize("path", ["/clients", "/livez"])
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [(b"host", b"")],
        [(b"host", b"a"), (b"host", b"a")],
        [(b"host", b"a b")],
        [(b"host", b"a"), (b"transfer-encoding", b"gzip, chunked")],
        [(b"host", b"a"), (b"transfer-encoding", b"chunked"), (b"content-length", b"2")],
        [(b"host", b"a"), (b"content-length", b"2"), (b"content-length", b"2")],
        [(b"host", b"a"), (b"transfer-encoding", b"chunked")] * 2,
    ],
)
def test_a_request_that_can_be_read_in_two_ways_is_400(
    headers: list[tuple[bytes, bytes]], path: str
) -> None:
    house = House()
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "headers": headers,
        "client": ("192.0.2.1", 1),
        "http_version": "1.1",
    }
    status, told, body = asyncio.run(_asked(house.front, scope))
    assert (status, told["connection"], body["message"]) == (400, "close", "Bad request")
    assert "retry-after" not in told
    assert house.calls == 0


def test_of_old_clients_no_host_is_asked() -> None:
    house = House()
    for headers in ([], [(b"host", b"")], [(b"host", b"a")]):
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/clients",
            "headers": headers,
            "client": ("192.0.2.1", 1),
            "http_version": "1.0",
        }
        assert asyncio.run(_asked(house.front, scope))[0] == 200


def test_an_address_that_fails_too_often_waits() -> None:
    house = House()
    assert house.fail(PER_MINUTE) == [401] * PER_MINUTE
    status, headers, body = house.ask()
    assert (status, body["message"], headers["retry-after"]) == (429, "Too Many Requests", "6")
    assert body["requestId"] == headers["x-request-id"]
    assert headers["cache-control"] == "no-store"
    assert house.calls == PER_MINUTE, "the application is spared"
    assert house.ask(address="192.0.2.2")[0] == 200, "others are not concerned"
    house.clock.forward(6 * SECOND)
    assert house.ask()[0] == 200
    assert house.fail(2) == [401, 429]
    house.clock.forward(MINUTE)
    assert house.fail(PER_MINUTE + 1) == [*[401] * PER_MINUTE, 429]


def test_only_refused_credentials_count() -> None:
    house = House()
    for status in (200, 400, 404, 413, 500):
        house.answers = status
        assert [house.ask()[0] for _ in range(2 * PER_MINUTE)] == [status] * 2 * PER_MINUTE
    house.answers = 403
    assert [house.ask()[0] for _ in range(PER_MINUTE + 1)] == [*[403] * PER_MINUTE, 429]


def test_a_prefix_is_limited_over_all_addresses_and_locks_out_nobody() -> None:
    house = House()
    for n in range(PER_MINUTE):
        assert house.fail(1, key=GOOD, address=f"198.51.100.{n}") == [401]
    assert house.ask(GOOD, "198.51.100.0")[0] == 429, "it failed with it lately"
    assert house.ask(OTHER, "198.51.100.0")[0] == 200
    assert house.ask(GOOD, "192.0.2.1")[0] == 200, "its owner goes on working"
    house.clock.forward(MINUTE)
    assert house.ask(GOOD, "198.51.100.0")[0] == 200


def test_one_subscriber_of_ipv6_is_one() -> None:
    house = House()
    for n in range(PER_MINUTE):
        house.fail(1, address=f"2001:db8::{n}")
    assert house.ask(address="2001:db8::ffff")[0] == 429
    assert house.ask(address="2001:db8:0:1::1")[0] == 200
    assert network_of("::ffff:192.0.2.1") == network_of("192.0.2.1")
    assert network_of("no address") == "no address"


def test_behind_a_proxy_it_is_the_caller_that_waits() -> None:
    house = House(trusted=("10.0.0.0/8",))
    house.fail(PER_MINUTE, address="10.0.0.1", via="192.0.2.9, 192.0.2.1")
    assert house.ask(address="10.0.0.1", via="192.0.2.1")[0] == 429
    assert house.ask(address="10.0.0.1", via="192.0.2.2")[0] == 200
    house.fail(PER_MINUTE, address="192.0.2.7", via="192.0.2.3")
    assert house.ask(address="192.0.2.7", via="192.0.2.4")[0] == 429, "a stranger's word is none"


def test_without_a_limit_nobody_waits() -> None:
    assert House(0).fail(100) == [401] * 100


def test_what_is_known_is_bounded() -> None:
    buckets = Buckets(1, most=2)
    for name in ("a", "b", "a", "c"):
        buckets.fail(name, NOON)
    assert [buckets.has_failed(name, NOON) for name in ("a", "b", "c")] == [True, False, True]
    assert not buckets.has_failed("c", NOON + MINUTE)
    assert buckets.wait("a", NOON) > buckets.wait("c", NOON) > 0


def test_probes_are_never_refused() -> None:
    house = House()
    house.fail(PER_MINUTE)
    assert [house.ask(path=path)[0] for path in ("/livez", "/readyz", "/clients")] == [
        200,
        200,
        429,
    ]


# ── many at once ────────────────────────────────────────────────────────────────────────────────
class Slow:
    """A request that is under way until it is told to end."""

    def __init__(self, house: House, address: str = "192.0.2.1", via: str = "") -> None:
        self._body: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.parts: list[Any] = []
        headers = [(b"host", b"api")]
        headers += [(b"x-forwarded-for", via.encode())] if via else []
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/clients",
            "headers": headers,
            "client": (address, 1),
            "http_version": "1.1",
        }
        self.task = asyncio.ensure_future(house.front(scope, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": await self._body, "more_body": False}

    async def _send(self, message: Any) -> None:
        self.parts.append(message)

    async def end(self, body: bytes = b"") -> int:
        self._body.set_result(body)
        await self.task
        status: int = self.parts[0]["status"]
        return status


async def _begun(house: House, count: int, **who: str) -> list[Slow]:
    slow = [Slow(house, **who) for _ in range(count)]
    await asyncio.sleep(0)
    return slow


@pytest.mark.parametrize("per_minute", [0, PER_MINUTE])
def test_an_address_has_only_so_many_under_way(per_minute: int) -> None:
    house = House(per_minute, at_once=3)

    async def scenario() -> None:
        held = await _begun(house, 3)
        for _ in range(3):
            (further,) = await _begun(house, 1)
            await further.task
            headers = dict(further.parts[0]["headers"])
            assert further.parts[0]["status"] == 429
            assert (headers[b"retry-after"], headers[b"connection"]) == (b"1", b"close")
        assert house.calls == 3
        (other,) = await _begun(house, 1, address="192.0.2.2")
        assert await other.end() == 200, "others are not concerned"
        assert await held.pop().end() == 200
        (again,) = await _begun(house, 1)
        assert [await one.end() for one in (again, *held)] == [200] * 3

    asyncio.run(scenario())


def test_whatever_ends_a_request_makes_room() -> None:
    house = House(at_once=1)

    async def scenario() -> None:
        (left,) = await _begun(house, 1)
        left.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left.task
        (broken,) = await _begun(house, 1)
        with pytest.raises(ConnectionError):
            await broken.end(b"breaks")
        (last,) = await _begun(house, 1)
        assert await last.end() == 200

    asyncio.run(scenario())


def test_one_subscriber_of_ipv6_and_one_caller_behind_a_proxy_are_one() -> None:
    house = House(trusted=("10.0.0.0/8",), at_once=1)

    async def status(**who: str) -> int:
        (one,) = await _begun(house, 1, **who)
        return await one.end()

    async def scenario() -> None:
        held = await _begun(house, 1, address="2001:db8::1")
        held += await _begun(house, 1, address="10.0.0.1", via="192.0.2.1")
        assert await status(address="2001:db8::2") == 429
        assert await status(address="2001:db8:0:1::1") == 200
        assert await status(address="10.0.0.1", via="192.0.2.1") == 429
        assert await status(address="10.0.0.1", via="192.0.2.2") == 200
        assert [await one.end() for one in held] == [200, 200]

    asyncio.run(scenario())


def test_probes_are_answered_however_many_are_under_way() -> None:
    house = House(at_once=1)

    async def scenario() -> None:
        held = await _begun(house, 1)
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/livez",
            "headers": [(b"host", b"api")],
            "client": ("192.0.2.1", 1),
            "http_version": "1.1",
        }
        assert (await _asked(house.front, scope))[0] == 200
        assert await held[0].end() == 200

    asyncio.run(scenario())


@pytest.mark.parametrize("key", ["", "hb_", "hb_AAAAAAAAAAAA_x", "é", "x" * 5_000])
def test_the_application_is_served_behind_its_front(sqlite_office: Office, key: str) -> None:
    sqlite_office.app = fronted(sqlite_office.desk)
    url = "/clients?page=0&limit=1"
    assert sqlite_office.ask("GET", url, headers={"x-api-key": key}).status == 401
    assert sqlite_office.ask("GET", url).status == 200
