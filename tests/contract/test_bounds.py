"""Beyond a bound there is 429 or 503 with Retry-After: of one agency, and of all together."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from contract.asgi import Reply, call, calling, running
from contract.office import OPERATIONS, Office
from contract.world import World
from handbill.http.app import Application

DAYS = {"startDate": "2026-11-01", "endDate": "2026-11-17"}
SLOW = [
    operation
    for operation in OPERATIONS
    if operation.lane in {"slow", "stream"} and operation.role == "agency"
]


def bounded(office: Office, **settings: Any) -> Office:
    """The office at a door with these settings."""
    desk = replace(office.desk, settings=msgspec.structs.replace(office.desk.settings, **settings))
    return replace(office, desk=desk, app=Application(OPERATIONS, desk))


@contextmanager
def at_work(office: Office, lane: str, *owners: str) -> Iterator[None]:
    """Work of these owners is under way in a lane."""
    turned = office.app._lanes.of[lane]

    async def enter() -> list[Any]:
        return [await turned.enter(owner) for owner in owners]

    leave = running(enter())
    yield

    async def all_leave() -> None:
        for one in leave:
            one()

    running(all_leave())


def told(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.headers.get("retry-after")


@pytest.mark.parametrize("operation", SLOW, ids=lambda one: one.name)
def test_slow_work_is_bounded(sqlite_world: World, operation: Any) -> None:
    """One agency has half of the places, and none is left when others have all."""
    world = sqlite_world
    office = bounded(world.office, lookups_at_once=2, lookups_waiting=0, streams_at_once=2)
    with office.desk.records.read() as tx:
        ((number,),) = tx.run_text("SELECT no FROM agencies WHERE id = 'acme'", {})[0]
    body = operation.sample if isinstance(operation.sample, dict) else {"filterBy": DAYS}

    def ask() -> tuple[int, str | None]:
        url, named = world.url(operation), world.headers(operation)
        return told(office.ask(operation.verb, url, body if operation.body else None, named))

    assert ask()[0] != 429
    with at_work(office, operation.lane, f"agency:{number}"):
        assert ask() == (429, "1"), "its own"
    with at_work(office, operation.lane, "agency:1001"):
        assert ask()[0] != 429, "another's"
    with at_work(office, operation.lane, "agency:1001", "agency:1002"):
        assert ask() == (429, "1"), "those of all"
    assert ask()[0] != 429, "places are given back"


@pytest.mark.parametrize("path", ["/stats", "/reports/stats"])
def test_reports_that_wait_are_bounded(sqlite_office: Office, path: str) -> None:
    office = bounded(sqlite_office, reports_waiting=1)
    others = [office.another(f"other{n}") for n in range(10)]

    def ask(who: Office, day: int) -> tuple[int, str | None]:
        named = {"x-client-id": who.client().rsplit("/", 1)[1]}
        days = DAYS | {"endDate": f"2026-11-{day}"}
        body: Any = {"filterBy": days}
        if path == "/stats":
            body = {"filters": days, "aggregationLevel": {"primaryLevel": "CAMPAIGN"}}
        return told(who.ask("POST", path, body, headers=named))

    assert ask(office, 11)[0] < 300
    status, wait = ask(office, 12)
    assert (status, wait is not None) == (429, True), "of one agency"
    assert [ask(other, 11)[0] < 300 for other in others[:9]] == [True] * 9
    status, wait = ask(others[9], 11)
    assert (status, wait is not None) == (429, True), "in all"


def test_bodies_under_way_are_bounded(sqlite_office: Office) -> None:
    """One caller has half of the room; nothing of what was refused, or is answered, is held."""
    office = bounded(sqlite_office, body_bytes_at_once=4_000)
    other = office.another()

    def post(who: Office, raw: bytes) -> tuple[int, str | None]:
        return told(call(who.app, "POST", "/clients", raw=raw, headers=who.headers))

    long = b"{" + b" " * 2_100 + b"}"
    assert post(office, long) == (503, "5")
    short = b"{" + b" " * 1_200 + b"}"
    room = office.app._room
    with room.part("agency:1001") as one, room.part("agency:1002") as another:
        one.grow(1_500)
        another.grow(1_500)
        assert post(office, short) == (503, "5")
        assert office.ask("GET", "/clients?page=0&limit=1").status == 200
    for who in (office, other):
        assert post(who, short) == (400, None)
    assert room.held == 0


def test_what_a_commit_brings_is_told_in_turns(sqlite_office: Office) -> None:
    """Many changes come back at once: a neighbour's request does not wait for all their answers."""
    office, other = sqlite_office, sqlite_office.another()
    done: list[str] = []
    waits, goes = asyncio.Event(), threading.Event()

    async def change(n: int) -> None:
        body = {"id": f"P{n}", "bidType": "CPC"}
        await calling(office.app, "POST", "/publishers", body, office.headers)
        done.append("change")
        waits.set()

    async def look() -> int:
        await waits.wait()
        await calling(other.app, "GET", "/clients?page=0&limit=1", headers=other.headers)
        return len(done)

    async def play() -> int:
        held = asyncio.create_task(office.app._writer.write("held", lambda _: goes.wait(60)))
        changes = [asyncio.create_task(change(n)) for n in range(60)]
        while sum(map(len, office.app._writer._waiting._queues.values())) < 59:  # noqa: ASYNC110
            await asyncio.sleep(0)
        goes.set()
        looked = await look()
        await asyncio.gather(held, *changes)
        return looked

    assert running(play()) <= 6
