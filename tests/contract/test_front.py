"""What stands before the application: limits of failures, and the end of service."""

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
from handbill.http.front import Buckets, Front, network_of
from handbill.kit.instants import MINUTE, SECOND
from handbill.kit.jsons import decode
from handbill.tracking.addresses import Proxies

PER_MINUTE = 10
GOOD, OTHER = "hb_aaaaaaaaaaaa_secret", "hb_bbbbbbbbbbbb_secret"


class House:
    """A front before an application that answers what it is told to; it counts its calls."""

    def __init__(self, per_minute: int = PER_MINUTE, trusted: tuple[str, ...] = ()) -> None:
        self.clock = SetClock(NOON)
        self.answers = 200
        self.calls = 0
        address_of = Proxies(trusted).client_of
        self.front = Front(self.application, self.clock, SeededIds(1), per_minute, address_of)

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        await Response(b"{}", self.answers)(scope, receive, send)

    def ask(
        self, key: str = "", address: str = "192.0.2.1", path: str = "/clients", via: str = ""
    ) -> tuple[int, dict[str, str], Any]:
        headers = [(b"x-api-key", key.encode())] if key else []
        headers += [(b"x-forwarded-for", via.encode())] if via else []
        scope = {
            "type": "http", "method": "GET", "path": path, "headers": headers,
            "client": (address, 1),
        }  # fmt: skip
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


def test_whoever_comes_while_we_end_is_sent_on() -> None:
    house = House()
    house.front.drain()
    status, headers, body = house.ask()
    assert (status, body["message"], headers["retry-after"]) == (503, "Service Unavailable", "5")
    assert headers["connection"] == "close"
    assert house.calls == 0
    assert house.ask(path="/livez")[0] == 200


def test_probes_are_never_refused() -> None:
    house = House()
    house.fail(PER_MINUTE)
    assert [house.ask(path=path)[0] for path in ("/livez", "/readyz", "/clients")] == [
        200, 200, 429,
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["", "hb_", "hb_AAAAAAAAAAAA_x", "é", "x" * 5_000])
def test_the_application_is_served_behind_its_front(sqlite_office: Office, key: str) -> None:
    sqlite_office.app = fronted(sqlite_office.desk)
    url = "/clients?page=0&limit=1"
    assert sqlite_office.ask("GET", url, headers={"x-api-key": key}).status == 401
    assert sqlite_office.ask("GET", url).status == 200
