"""How long the edge waits for a sender, and how many connections it holds."""

import asyncio
import os
from pathlib import Path

import pytest

from door import FAR, Door, at_the_door
from flows.test_edge_bounds import FEED, NAME
from flows.test_edge_wire import CLICK, LIVE, SOON, limits_of


@pytest.mark.parametrize("sent", [b"GET /c/", CLICK[:-2], b"GET / HTTP/1.1\r\nHost: a\r\nX: "])
def test_a_slow_head_is_given_up(tmp_path: Path, sent: bytes) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(sent)
        assert (await client.said()).status == 408
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path, limits=limits_of(head_s=SOON))


def test_a_slow_body_is_given_up(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(b"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        assert (await client.said()).status == 408
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path, limits=limits_of(head_s=SOON))


def test_a_silent_client_is_closed_without_a_word(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path, limits=limits_of(head_s=SOON))


def test_an_idle_connection_is_closed_without_a_word(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(LIVE)
        assert (await client.said()).status == 200
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path, limits=limits_of(idle_s=SOON))


def test_the_head_after_a_request_has_its_own_time(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(LIVE + b"GET /half")
        assert (await client.said()).status == 200
        assert (await client.said()).status == 408

    at_the_door(scenario, tmp_path, limits=limits_of(head_s=SOON))


def test_one_address_has_so_many_connections(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        first, second = [await door.client() for _ in range(2)]
        for client in (first, second):
            client.send(LIVE)
            assert (await client.said()).status == 200
        third = await door.client()
        said = await third.said()
        assert (said.status, said.headers["retry-after"]) == (429, "1")
        assert await third.ended() == b""
        await first.close()
        second.send(LIVE)
        assert (await second.said()).status == 200

    at_the_door(scenario, tmp_path, limits=limits_of(most_per_address=2))


def test_a_proxy_has_as_many_as_it_needs(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for _ in range(5):
            client = await door.client()
            client.send(LIVE)
            assert (await client.said()).status == 200

    limits = limits_of(most_per_address=2)
    at_the_door(scenario, tmp_path, limits=limits, trusted=("127.0.0.1",))


def test_who_is_owed_nothing_makes_room_for_others(tmp_path: Path) -> None:
    """An idle one, one that never says what it wants, and so many of them that all places are
    taken again and again.
    """

    async def scenario(door: Door) -> None:
        idle, half = await door.client(), await door.client()
        idle.send(LIVE)
        assert (await idle.said()).status == 200
        half.send(CLICK[:20])
        for _ in range(100):
            assert (await door.ask("/livez")).status == 200
            await door.client()
        assert await idle.ended() == await half.ended() == b""

    at_the_door(scenario, tmp_path, limits=limits_of(most_connections=3))


def test_all_together_have_so_many_connections(tmp_path: Path) -> None:
    """Those that are owed an answer, or the rest of one, are never closed for others."""

    async def scenario(door: Door) -> None:
        content = os.urandom(8_000_000)
        (door.feeds / f"{NAME}.xml").write_bytes(content)
        first = await door.client()
        first.send(FEED)
        await first.reader.readuntil(b"\r\n\r\n")
        for _ in range(3):
            said = await (await door.client()).said()
            assert (said.status, said.headers["retry-after"]) == (503, "1")
        assert await first.reader.readexactly(len(content)) == content

    at_the_door(scenario, tmp_path, limits=limits_of(most_connections=1))


def test_draining_finishes_what_was_asked(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        idle, half, fresh = [await door.client() for _ in range(3)]
        idle.send(LIVE)
        assert (await idle.said()).status == 200
        half.send(CLICK[:20])
        await door.ask("/livez")
        draining = asyncio.create_task(door.server.drain(FAR))
        assert await idle.ended() == b""
        assert await fresh.ended() == b""
        half.send(CLICK[20:])
        said = await half.said()
        assert (said.status, said.headers["connection"]) == (302, "close")
        assert await half.ended() == b""
        for client in (idle, half, fresh):
            await client.close()
        await draining
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)
