"""No header of a stranger breaks the edge, and nothing that one holds is held for good."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from door import FAR, TOKEN, Door, at_the_door
from handbill.http1.messages import BodyWithId, Http1Answer, Later, Request
from handbill.http1.reading import KnownHeaders, RequestReader, StopReading
from handbill.http1.server import ServerLimits
from handbill.kit.addresses import network_of
from handbill.tracking.files import MOST_OPEN_OF_ADDRESS

NAME = "a1b2c3d4e5f6g7h8i9j0k1l2m3"
FEED = f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode()
SOON = 0.01

_CONTROLS = bytes((*range(32), 127))
_NOT_VISIBLE = bytes((*range(33), *range(127, 256)))
_ODD = st.binary(max_size=60).map(lambda raw: raw.translate(None, _CONTROLS))
_PATH = st.binary(max_size=60).map(lambda raw: raw.translate(None, _NOT_VISIBLE))
_NUMBER = st.integers(0, 10**40).map(lambda number: b"%d" % number)
_DATE = st.builds(
    b"%b, %b %b %b %b:%b:%b %b".__mod__,
    st.tuples(
        st.sampled_from([b"Mon", b"Xxx", b""]),
        _NUMBER,
        st.sampled_from([b"Nov", b"Foo"]),
        _NUMBER,
        _NUMBER,
        _NUMBER,
        _NUMBER,
        st.sampled_from([b"GMT", b"+99999999999", b"-0000", b""]) | _ODD,
    ),
)
_ADDRESS = st.sampled_from([b"::ffff:1.2.3.4", b"[fe80::1%x]:9", b"1.2.3.4:5", b"[", b"::%"])
_TAG = st.sampled_from([b"*", b'W/"', b'"a", "b', b",,,", b'"'])
_JAR = st.sampled_from(
    [b"jClickId=", b"jClickId=AQID", b";;jClickId=\xff", b"jClickId=" + b"A" * 99]
)
_VALUE = _ODD | _NUMBER | _DATE | _ADDRESS | _TAG | _JAR
_HEADER = st.tuples(
    st.sampled_from(
        [
            b"If-Modified-Since",
            b"If-None-Match",
            b"X-Forwarded-For",
            b"Cookie",
            b"User-Agent",
            b"Purpose",
            b"X-Moz",
            b"Content-Length",
            b"Upgrade",
        ]
    ),
    _VALUE | st.lists(_VALUE, max_size=3).map(b", ".join),
)
_TARGET = st.sampled_from(
    [
        b"/f/%b.xml" % NAME.encode(),
        b"/f/%b.xml.gz" % NAME.encode(),
        b"/c/" + TOKEN.encode(),
        b"/px.gif?c=pixel0123456789&a=3",
        b"/px.js",
        b"/metrics",
        b"/readyz",
    ]
) | st.sampled_from([b"/c/", b"/px.gif?", b"/"]).flatmap(
    lambda start: _PATH.map(lambda path: start + path)
)


@dataclass(eq=False)
class _Guest:
    """A connection from an address, which does nothing."""

    peer: str
    deadline: int = 2**60

    def __post_init__(self) -> None:
        self.network = network_of(self.peer)

    def is_owed(self) -> bool:
        return False

    def expire(self) -> None: ...
    def drain(self) -> None: ...
    def abort(self) -> None: ...


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


def _drop(answer: Http1Answer | Later) -> bytes:
    made = answer.answer if isinstance(answer, Later) else answer
    if not isinstance(made.body, bytes | BodyWithId):
        made.body.close()
    return made.head


def test_no_header_breaks_the_edge(tmp_path: Path) -> None:
    """Whatever they hold, the answer is no failure of ours, and no file stays open."""

    async def scenario(door: Door) -> None:
        (door.feeds / f"{NAME}.xml").write_bytes(b"<source/>")
        (door.feeds / f"{NAME}.xml.gz").write_bytes(b"\x1f\x8b")
        heads: list[bytes] = []

        def take(request: Request, is_last: bool) -> None:
            heads.append(_drop(door.edge.answer(request)))

        @settings(max_examples=200, database=None, suppress_health_check=[HealthCheck.too_slow])
        @given(_TARGET, st.lists(_HEADER, max_size=4), st.sampled_from([b"GET", b"HEAD", b"POST"]))
        def ask(target: bytes, headers: list[tuple[bytes, bytes]], verb: bytes) -> None:
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            reader = RequestReader(take, door.server.draw, KnownHeaders())
            reader.peer = "127.0.0.1"
            try:
                reader.feed(b"%b %b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (verb, target, lines))
            except StopReading as stop:
                assert stop.status < 500

        before = _open_files()
        ask()
        assert len(heads) > 100, "many were read"
        assert not [head for head in heads if head.startswith(b"HTTP/1.1 5")]
        assert _open_files() == before

    at_the_door(scenario, tmp_path, trusted=("127.0.0.0/8",))


@pytest.mark.parametrize(
    "since",
    [
        "Mon, 02 Nov 99999999999 10:00:00 GMT",
        "Mon, 02 Nov 2026 10:00:00 +99999999999999",
        "Mon, 02 Nov 2026 99999999999999:00:00 GMT",
        "Mon, 31 Feb 2026 10:00:60 GMT",
        "\xff" * 200,
    ],
)
def test_a_date_that_is_none_asks_for_nothing(tmp_path: Path, since: str) -> None:
    async def scenario(door: Door) -> None:
        (door.feeds / f"{NAME}.xml").write_bytes(b"<source/>")
        before = _open_files()
        for _ in range(5):
            said = await door.ask(f"/f/{NAME}.xml", headers={"If-Modified-Since": since})
            assert (said.status, said.body) == (200, b"<source/>")
        await _until(lambda: not door.server._guests)
        assert _open_files() <= before

    at_the_door(scenario, tmp_path)


def test_one_address_has_so_many_files_open(tmp_path: Path) -> None:
    """However many it asks for before it reads one; others are served, and all are closed."""

    async def scenario(door: Door) -> None:
        (door.feeds / f"{NAME}.xml").write_bytes(os.urandom(4_000_000))
        before = _open_files()
        greedy = [await door.client() for _ in range(8)]
        for client in greedy:
            client.send(FEED * 60)
        await _until(lambda: door.edge._feeds._open == MOST_OPEN_OF_ADDRESS)
        assert (await door.ask(f"/f/{NAME}.xml")).status == 429
        assert _open_files() <= before + MOST_OPEN_OF_ADDRESS + 2 * len(greedy) + 2
        proxied = await door.ask(f"/f/{NAME}.xml", "HEAD", {"X-Forwarded-For": "203.0.113.9"})
        assert proxied.status == 200
        for client in greedy:
            client.writer.transport.abort()
        await _until(lambda: not (door.server._guests or door.edge._feeds._open))
        assert (await door.ask(f"/f/{NAME}.xml", "HEAD")).status == 200

    at_the_door(scenario, tmp_path, trusted=("127.0.0.1",))


def test_connections_are_counted_by_what_one_subscriber_has(tmp_path: Path) -> None:
    """8,400 from one /64 are one neighbour's; a visitor beside it is let in."""

    async def scenario(door: Door) -> None:
        most = door.server.limits.most_per_address
        many = [_Guest(f"2001:db8::{n:x}") for n in range(8_400)]
        # The others leave as soon as they are refused, or they would fill the house.
        refusals = [door.server.admit(guest) for guest in many[:most]]
        for guest in many[most:]:
            refusals.append(door.server.admit(guest))
            door.server.leave(guest)
        assert refusals == [0] * most + [429] * (len(many) - most)
        visitor = _Guest("2001:db8:0:1::1")
        assert door.server.admit(visitor) == 0
        for guest in (*many[:most], visitor):
            door.server.leave(guest)
        client = await door.client()
        client.send(b"GET /livez HTTP/1.1\r\nHost: edge\r\n\r\n")
        assert (await client.said()).status == 200
        assert list(door.server._of_address) == ["127.0.0.1"]

    at_the_door(scenario, tmp_path)


def test_lingering_has_an_end_of_its_own(tmp_path: Path) -> None:
    """Who is told all and neither closes nor goes on is cut off, whatever else may take long."""

    async def scenario(door: Door) -> None:
        client = await door.client()
        client.send(b"rubbish\r\n\r\n")
        assert (await client.said()).status == 400
        await _until(lambda: not door.server._guests)
        assert ServerLimits().linger_s == 5

    limits = ServerLimits(head_s=FAR, idle_s=FAR, tick_s=SOON, linger_s=SOON)
    at_the_door(scenario, tmp_path, limits=limits)


def test_a_slow_reader_of_a_last_answer_does_not_linger(tmp_path: Path) -> None:
    """What still waits in our buffer is an answer under way."""

    async def scenario(door: Door) -> None:
        content = os.urandom(8_000_000)
        (door.feeds / f"{NAME}.xml").write_bytes(content)
        client = await door.client()
        client.send(FEED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        await client.reader.readuntil(b"\r\n\r\n")
        read = await client.reader.read(65_536)
        (guest,) = door.server._guests
        while not guest._has_ended:  # type: ignore[attr-defined]
            read += await client.reader.read(65_536)
        late = door.server.tick + 5
        await _until(lambda: door.server.tick >= late)
        assert read + await client.ended() == content

    limits = ServerLimits(head_s=FAR, idle_s=FAR, tick_s=SOON, linger_s=SOON)
    at_the_door(scenario, tmp_path, limits=limits)
