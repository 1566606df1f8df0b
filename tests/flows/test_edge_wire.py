"""What strangers send: slow, long, broken, too much, or in another order than most."""

import asyncio
import gc
from pathlib import Path
from urllib.parse import quote

import pytest

from door import FAR, TOKEN, Client, Door, at_the_door
from handbill.core.received import ReceivedClick
from handbill.http1.connection import MOST_PIPELINED, MOST_SPILLED, Connection
from handbill.http1.reading import (
    MOST_BODY,
    MOST_HEAD,
    MOST_HEADERS,
    MOST_TARGET,
    KnownHeaders,
    RequestReader,
)
from handbill.http1.server import ServerLimits
from handbill.kit.jsons import decode

CLICK = f"GET /c/{TOKEN} HTTP/1.1\r\nHost: edge\r\n\r\n".encode()
LIVE = b"GET /livez HTTP/1.1\r\nHost: edge\r\n\r\n"
SOON = 0.01


def limits_of(**changed: float) -> ServerLimits:
    return ServerLimits(**{"head_s": FAR, "idle_s": FAR, "tick_s": SOON} | changed)  # type: ignore[arg-type]


async def _refused(door: Door, raw: bytes, status: int) -> None:
    """The bytes are answered with the status, and the connection ends."""
    client = await door.client()
    client.send(raw)
    said = await client.said()
    assert said.status == status
    assert said.headers["connection"] == "close"
    assert decode(said.body)["requestId"] == said.headers["x-request-id"]
    assert await client.ended() == b""
    assert (await door.ask("/livez")).status == 200, "others are served on"


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"hello\r\n\r\n",
        b"\0",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: b\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_what_is_not_http_is_400(tmp_path: Path, raw: bytes) -> None:
    async def scenario(door: Door) -> None:
        await _refused(door, raw, 400)

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /c/" + b"a" * (MOST_TARGET + 1) + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /c/" + b"a" * (MOST_HEAD * 4),
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MOST_HEAD + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X-%d: a\r\n" * MOST_HEADERS + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"x" * (MOST_HEAD * 2),
        b"\r\n" * MOST_HEAD,
    ],
    ids=["target", "endless target", "header", "many headers", "endless name", "endless nothing"],
)
def test_what_is_too_long_is_431(tmp_path: Path, raw: bytes) -> None:
    async def scenario(door: Door) -> None:
        await _refused(door, raw, 431)

    at_the_door(scenario, tmp_path)


def test_what_is_just_short_enough_is_read(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(b"GET /livez?" + b"a" * (MOST_TARGET - 7) + b" HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await client.said()).status == 200
        client.send(
            b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"a" * (MOST_HEAD - 64) + b"\r\n\r\n"
        )
        assert (await client.said()).status == 200

    at_the_door(scenario, tmp_path)


def test_a_query_that_is_not_ascii_is_read(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        for written in ("Pflegekr\xe4fte".encode(), b"Pflegekr\xe4fte"):
            client.send(b"GET /livez?q=" + written + b" HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n")
            assert (await client.said()).status == 200

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("query", [b"a", "ä\U0001f642".encode(), b"\xe4\xff"])
def test_a_query_is_read_alike_however_its_bytes_arrive(query: bytes) -> None:
    raw = b"GET /c?q=" + query + b" HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n"
    two = raw + raw
    cuts = [[two[:at], two[at:]] for at in range(1, len(two))]
    for pieces in ([two], [bytes([byte]) for byte in two], *cuts):
        taken: list[bytes] = []
        reader = RequestReader(
            lambda request, _, taken=taken: taken.append(request.target),  # type: ignore[misc]
            lambda: b"",
            KnownHeaders(),
        )
        for piece in pieces:
            reader.feed(piece)
        assert taken == [b"/c?q=" + quote(query, safe="").encode()] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_small_body_is_ignored(tmp_path: Path, method: str) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        for _ in range(2):
            client.send(
                f"{method} /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".encode()
            )
            client.send(b"GET /")
            assert (await client.said(has_body=method == "GET")).status == 200

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (f"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: {MOST_BODY + 1}", 413),
        (f"GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: {2**63}", 413),
        (f"POST /livez HTTP/1.1\r\nHost: a\r\nContent-Length: {MOST_BODY + 1}", 405),
        ("GET /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", 413),
        ("POST /livez HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked", 405),
    ],
)
def test_a_large_body_is_not_awaited(tmp_path: Path, head: str, status: int) -> None:
    async def scenario(door: Door) -> None:
        await _refused(door, head.encode() + b"\r\n\r\n", status)

    at_the_door(scenario, tmp_path)


def test_a_refusal_is_read_though_more_is_being_sent(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        body = b"x" * (MOST_SPILLED // 2)
        head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
        await _refused(door, head + body, 405)

    at_the_door(scenario, tmp_path)


def test_whoever_sends_on_and_on_is_cut_off(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(b"rubbish\r\n\r\n" + b"x" * MOST_SPILLED * 2)
        with pytest.raises(ConnectionError):
            await _send_for_ever(client)

    at_the_door(scenario, tmp_path)


async def _send_for_ever(client: Client) -> None:
    while True:
        client.send(b"x" * MOST_SPILLED)
        await client.writer.drain()


@pytest.mark.parametrize("piece", [1, 7])
def test_a_request_may_come_in_pieces(tmp_path: Path, piece: int) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        for _ in range(2):
            for at in range(0, len(CLICK), piece):
                client.send(CLICK[at : at + piece])
                await asyncio.sleep(0)
            assert (await client.said()).status == 302
        assert len(door.events()) == 2

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("count", [2, MOST_PIPELINED, MOST_PIPELINED + 1, 500])
def test_pipelined_requests_are_answered_in_order(tmp_path: Path, count: int) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        # A click waits for the disk, the others do not: they must wait for their turn.
        others = [b"GET /nowhere HTTP/1.1\r\nHost: edge\r\n\r\n", LIVE]
        client.send(b"".join((CLICK, *others)[place % 3] for place in range(count)))
        expected = [(302, 404, 200)[place % 3] for place in range(count)]
        assert [(await client.said()).status for _ in range(count)] == expected
        assert len(door.events()) == expected.count(302)

    at_the_door(scenario, tmp_path)


def test_a_client_that_does_not_read_is_not_read_from(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        script = b"GET /px.js HTTP/1.1\r\nHost: edge\r\n\r\n"
        count = 2000
        sending = asyncio.create_task(_send_all(client, script * count))
        await door.ask("/livez")
        (guest,) = (one for one in door.server._guests if one._slots or one._held or one._is_full)  # type: ignore[attr-defined]
        assert len(guest._slots) < 200  # type: ignore[attr-defined]
        for _ in range(count):
            assert (await client.said()).status == 200
        await sending

    at_the_door(scenario, tmp_path)


async def _send_all(client: Client, raw: bytes) -> None:
    for at in range(0, len(raw), 8192):
        client.send(raw[at : at + 8192])
        await client.writer.drain()


def test_known_headers_are_read_like_new_ones(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        rest = b" HTTP/1.1\r\nHost: edge\r\nConnection: keep-alive\r\nUser-Agent: known\r\n\r\n"
        for target, status in [
            (b"/livez", 200),
            (b"/livez", 200),
            (b"/nowhere", 404),
            (b"/c/" + TOKEN.encode(), 302),
            (b"http://edge/livez", 200),
            (b"/livez?" + b"a" * 4000, 200),
        ]:
            client.send(b"GET " + target + rest)
            said = await client.said()
            assert (said.status, said.headers["connection"]) == (status, "keep-alive")
        client.send(b"HEAD /livez" + rest)
        assert (await client.said(has_body=False)).headers["content-length"] == "3"
        client.send(b"POST /livez" + rest)
        assert (await client.said()).status == 405
        client.send(b"GET /livez" + rest + b"GET /livez" + rest)
        assert [(await client.said()).status for _ in range(2)] == [200, 200]
        client.send(b"GET /li")
        client.send(b"vez" + rest)
        assert (await client.said()).status == 200
        client.send(b"GET /a b" + rest)
        assert (await client.said()).status == 400
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path)


def test_one_connection_may_be_many_browsers(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        agents = ["first", "second", "first", "first", "third", "second"] * 2
        for agent in agents:
            head = f"GET /c/{TOKEN} HTTP/1.1\r\nHost: edge\r\nUser-Agent: {agent}\r\n\r\n"
            client.send(head.encode())
            assert (await client.said()).status == 302
        assert [
            event.agent for event in door.events() if isinstance(event, ReceivedClick)
        ] == agents

    at_the_door(scenario, tmp_path)


def test_headers_are_forgotten_rather_than_gathered(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        for number in range(5000):
            client.send(b"GET /livez HTTP/1.1\r\nHost: edge\r\nX: %d\r\n\r\n" % number)
            assert (await client.said()).status == 200
        assert len(door.server.known._blocks) <= 4096
        client.send(b"GET /livez HTTP/1.1\r\nHost: edge\r\nX: " + b"x" * 3000 + b"\r\n\r\n")
        assert (await client.said()).status == 200
        assert max(map(len, door.server.known._blocks)) < 3000

    at_the_door(scenario, tmp_path)


def test_old_clients_are_served(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (await client.said()).headers["connection"] == "keep-alive"
        client.send(b"GET /livez HTTP/1.0\r\n\r\n")
        assert (await client.said()).headers["connection"] == "close"
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path)


def test_a_last_request_ends_the_connection(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        last = b"GET /livez HTTP/1.1\r\nHost: edge\r\nConnection: close\r\n\r\n"
        client.send(CLICK + last + CLICK)
        assert [(await client.said()).status for _ in range(2)] == [302, 200]
        assert await client.ended() == b""
        assert len(door.events()) == 1, "what follows a last request is nobody's"

    at_the_door(scenario, tmp_path)


def test_an_upgrade_is_not_taken_up(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        upgrade = (
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n"
        )
        client.send(b"GET /livez HTTP/1.1\r\nHost: edge\r\n" + upgrade)
        said = await client.said()
        assert (said.status, said.headers["connection"]) == (200, "close")
        assert await client.ended() == b""

    at_the_door(scenario, tmp_path)


def test_a_client_may_stop_talking_and_still_hear(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(CLICK)
        client.writer.write_eof()
        said = await client.said()
        assert (said.status, said.headers["connection"]) == (302, "close")
        assert await client.ended() == b""
        half = await door.client()
        half.send(CLICK[:30])
        half.writer.write_eof()
        assert await half.ended() == b""
        assert len(door.events()) == 1

    at_the_door(scenario, tmp_path)


def test_a_client_that_leaves_is_forgotten(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(CLICK * 20)
        await door.ask("/livez")
        client.writer.transport.abort()
        await door.server.drain(FAR)
        assert door.server._of_address == {}

    at_the_door(scenario, tmp_path)


def test_a_gone_client_leaves_nothing_for_the_collector(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        gc.collect()
        gc.disable()
        try:
            for raw in (CLICK, LIVE, b"rubbish\r\n\r\n", CLICK * 20):
                client = await door.client()
                client.send(raw)
                await client.said()
                await client.close()
            await door.server.drain(FAR)
            del client
            await asyncio.sleep(0)
            assert not [one for one in gc.get_objects() if isinstance(one, Connection)]
        finally:
            gc.enable()

    at_the_door(scenario, tmp_path)
