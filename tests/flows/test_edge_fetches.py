"""Fetches of feed files are journaled: whole ones and 304, once a minute for each version."""

import asyncio
import gzip
import os
import socket
from pathlib import Path

import pytest

from door import Door, at_the_door
from handbill.core.agents import program_of
from handbill.core.received import ReceivedFetch
from handbill.host.clock import SetClock
from handbill.kit.instants import MINUTE, SECOND

NAME = "a1b2c3d4e5f6g7h8i9j0k1l2m3"
OTHER = "z1b2c3d4e5f6g7h8i9j0k1l2m3"
WRITTEN = 1_763_900_000 * SECOND
AGENT = {"User-Agent": "JobBoardFetcher/2.1"}


def _write(door: Door, name: str, content: bytes, at: int = WRITTEN) -> None:
    path = door.feeds / name
    path.write_bytes(content)
    os.utime(path, ns=(at * 1000, at * 1000))


def _told(door: Door) -> list[tuple[str, int, int, str]]:
    door.journal.close()
    found = door.events()
    assert all(isinstance(one, ReceivedFetch) for one in found)
    return [(one.name, one.version, one.status, one.reader) for one in found]  # type: ignore[union-attr]


def test_each_fetch_is_told_once_a_minute(tmp_path: Path) -> None:
    async def scenario(door: Door) -> list[tuple[str, int, int, str]]:
        assert isinstance(door.clock, SetClock)
        _write(door, f"{NAME}.xml", b"<source/>")
        _write(door, f"{NAME}.xml.gz", gzip.compress(b"<source/>"))
        _write(door, f"{OTHER}.xml", b"<source/>")
        tag = (await door.ask(f"/f/{NAME}.xml", "HEAD", AGENT)).headers["etag"]
        await door.ask(f"/f/{NAME}.xml", headers=AGENT | {"Sec-Purpose": "prefetch"})
        await door.ask("/f/nobodyknowsthisname.xml", headers=AGENT)
        await door.ask(f"/f/{NAME}.xml", "POST", AGENT)
        ranged = await door.ask(f"/f/{NAME}.xml", headers=AGENT | {"Range": "bytes=0-3"})
        assert (ranged.status, ranged.body) == (200, b"<source/>"), "no part of it is handed out"
        for _ in range(50):
            await door.ask(f"/f/{NAME}.xml.gz", headers=AGENT)
        await door.ask(f"/f/{OTHER}.xml", headers={"User-Agent": "curl/8.5.0"})
        door.clock.at += MINUTE
        assert (await door.ask(f"/f/{NAME}.xml", "HEAD", {"If-None-Match": tag})).status == 304
        assert (
            await door.ask(f"/f/{NAME}.xml", headers=AGENT | {"If-None-Match": tag})
        ).status == 304
        _write(door, f"{NAME}.xml", b"<source><job/></source>", WRITTEN + 7)
        await door.ask(f"/f/{NAME}.xml", headers=AGENT)
        for program in range(9):
            await door.ask(f"/f/{OTHER}.xml", headers={"User-Agent": f"program{program}x/1"})
        return _told(door)

    told = at_the_door(scenario, tmp_path)
    assert told[:4] == [
        (NAME, WRITTEN, 200, "jobboardfetcher"),
        (OTHER, WRITTEN, 200, "curl"),
        (NAME, WRITTEN, 304, "jobboardfetcher"),
        (NAME, WRITTEN + 7, 200, "jobboardfetcher"),
    ]
    assert len(told) == 4 + 4, "a few programs a minute, however many names one calls itself"


def test_what_is_broken_off_is_no_fetch(tmp_path: Path) -> None:
    async def scenario(door: Door) -> list[tuple[str, int, int, str]]:
        _write(door, f"{NAME}.xml", bytes(24 * 1024 * 1024))
        with socket.create_connection(("127.0.0.1", door.port)) as half:
            half.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            half.sendall(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
            half.setblocking(False)
            await asyncio.get_running_loop().sock_recv(half, 4096)
        await door.server._empty.wait()
        whole = await door.ask(f"/f/{NAME}.xml", headers=AGENT)
        assert len(whole.body) == 24 * 1024 * 1024
        return _told(door)

    assert at_the_door(scenario, tmp_path) == [(NAME, WRITTEN, 200, "jobboardfetcher")]


def test_a_broken_journal_spoils_no_fetch(tmp_path: Path) -> None:
    def failing(_: int) -> None:
        raise OSError(28, "No space left on device")

    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"<source/>")
        for _ in range(2):
            said = await door.ask(f"/f/{NAME}.xml", headers=AGENT)
            assert (said.status, said.body) == (200, b"<source/>")
        assert (door.edge.is_ready, door.broken) == (False, 1), "as for a click"

    at_the_door(scenario, tmp_path, sync=failing)


@pytest.mark.parametrize(
    ("agent", "reader"),
    [
        ("IndeedBot/3 (+https://x.example)", "indeedbot"),
        ("", "-"),
        ("curl/8.5.0", "curl"),
        ("Mozilla/5.0 (compatible; JobCrawler/1.0; +https://x)", "jobcrawler"),
        ("\x00(", "-"),
        ("x" * 500, "x" * 40),
    ],
)
def test_a_reader_is_known_by_its_program(agent: str, reader: str) -> None:
    assert program_of(agent) == reader
