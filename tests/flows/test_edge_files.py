"""Outbound feed files: found by name alone, streamed, and not sent twice to who has them."""

import asyncio
import gzip
import os
import resource
from pathlib import Path

import pytest

from door import FAR, Door, at_the_door
from handbill.core.feed_notes import note_of, note_path
from handbill.http1.server import ServerLimits
from handbill.kit.instants import SECOND
from handbill.kit.jsons import encode
from handbill.tracking.files import PIECE

NAME = "a1b2c3d4e5f6g7h8i9j0k1l2m3"
CHANGED_AT = 1_763_900_000
WHEN = "Sun, 23 Nov 2025 12:13:20 GMT"


def _write(door: Door, name: str, content: bytes, at: int = CHANGED_AT) -> Path:
    path = door.feeds / name
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path


def _note(door: Door, digest: bytes, at: int = CHANGED_AT) -> None:
    (door.feeds / note_path(f"{NAME}.xml")).write_bytes(note_of(at * SECOND, digest))


def test_a_feed_is_handed_out(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        plain = b"<source><job/></source>"
        _write(door, f"{NAME}.xml", plain)
        _write(door, f"{NAME}.xml.gz", gzip.compress(plain))
        said = await door.ask(f"/f/{NAME}.xml?publisher=1")
        assert (said.status, said.body) == (200, plain)
        assert said.headers["content-type"] == "application/xml; charset=utf-8"
        assert said.headers["last-modified"] == WHEN
        packed = await door.ask(f"/f/{NAME}.xml.gz")
        assert gzip.decompress(packed.body) == plain
        assert packed.headers["content-type"] == "application/gzip"
        assert "content-encoding" not in packed.headers
        assert packed.headers["etag"] != said.headers["etag"]
        head = await door.ask(f"/f/{NAME}.xml", "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(plain))

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_who_has_it_is_not_sent_it(tmp_path: Path, method: str) -> None:
    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"<source/>")
        tag = (await door.ask(f"/f/{NAME}.xml")).headers["etag"]
        for headers, status in [
            ({"If-None-Match": tag}, 304),
            ({"If-None-Match": f'"other", W/{tag}'}, 304),
            ({"If-None-Match": "*"}, 304),
            ({"If-None-Match": '"other"'}, 200),
            ({"If-None-Match": '"other"', "If-Modified-Since": WHEN}, 200),
            ({"If-Modified-Since": WHEN}, 304),
            ({"If-Modified-Since": "Sun, 23 Nov 2025 12:13:21 GMT"}, 304),
            ({"If-Modified-Since": "Sun, 23 Nov 2025 12:13:19 GMT"}, 200),
            ({"If-Modified-Since": "yesterday"}, 200),
            ({"If-Modified-Since": "Sun, 23 Nov 2025 12:13:20"}, 200),
            ({"If-Modified-Since": "Sun, 99 Nov 99999 12:13:20 GMT"}, 200),
        ]:
            said = await door.ask(f"/f/{NAME}.xml", method, headers)
            assert said.status == status, headers
            assert said.headers["etag"] == tag
            assert "x-request-id" in said.headers

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize("suffix", ["xml", "xml.gz"])
def test_who_has_the_content_is_not_sent_it_again_whenever_it_is_written(
    tmp_path: Path, suffix: str
) -> None:
    target, one, other = f"/f/{NAME}.{suffix}", b"\x01" * 16, b"\xfe" * 16

    async def scenario(door: Door) -> None:
        async def asked(known: str) -> tuple[int, str, str]:
            said = await door.ask(target, headers={"If-None-Match": known})
            return said.status, said.headers["etag"], said.headers["last-modified"]

        _write(door, f"{NAME}.{suffix}", b"<!-- 12:13 -->")
        _note(door, one)
        status, tag, when = await asked('"none"')
        assert (status, when) == (200, WHEN)
        assert await asked(tag) == (304, tag, WHEN)
        _write(door, f"{NAME}.{suffix}", b"<!-- 12:14, longer -->", CHANGED_AT + 60)
        status, unsure, when = await asked(tag)
        assert (status, when) == (200, WHEN.replace("13:20", "14:20")), (
            "whose note is not yet there"
        )
        assert unsure != tag
        _note(door, one, CHANGED_AT + 60)
        assert await asked(tag) == (304, tag, when)
        assert (await asked(unsure))[0] == 200
        _note(door, other, CHANGED_AT + 120)
        assert (await asked(tag))[0] == 200, "a note that is ahead of its file"
        _write(door, f"{NAME}.{suffix}", b"<!-- 12:14, longer -->", CHANGED_AT + 120)
        status, changed, _ = await asked(tag)
        assert (status, changed == tag) == (200, False)
        (door.feeds / note_path(f"{NAME}.xml")).write_bytes(b"no such note")
        assert (await asked(changed))[0] == 200
        assert (await door.ask(f"/f/{note_path(f'{NAME}.xml')}")).status == 404

    at_the_door(scenario, tmp_path)


def test_the_plain_file_is_not_taken_for_the_packed_one(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for suffix in ("xml", "xml.gz"):
            _write(door, f"{NAME}.{suffix}", b"x")
        _note(door, b"\x01" * 16)
        tags = {(await door.ask(f"/f/{NAME}.{end}")).headers["etag"] for end in ("xml", "xml.gz")}
        assert len(tags) == 2

    at_the_door(scenario, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".xml",
        "unknown0unknown0unknown0.xml",
        f"{NAME.upper()}.xml",
        f"{NAME}.json",
        f"{NAME}.xml.gz.gz",
        f"{NAME}",
        f"../feeds/{NAME}.xml",
        f"%2e%2e/{NAME}.xml",
        f"{NAME}.xml/",
        f"{NAME}.xml%00",
        "short.xml",
        "a" * 65 + ".xml",
        "link0link0link0link0.xml",
        "folder0folder0folder0.xml",
    ],
)
def test_every_other_name_is_one_404(tmp_path: Path, name: str) -> None:
    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"<source/>")
        (door.feeds / "link0link0link0link0.xml").symlink_to("/etc/hostname")
        (door.feeds / "folder0folder0folder0.xml").mkdir()
        said = await door.ask(f"/f/{name}")
        body = {"message": "Not found", "requestId": said.headers["x-request-id"]}
        assert (said.status, said.body) == (404, encode(body))

    at_the_door(scenario, tmp_path)


def test_search_engines_are_told_to_leave_clicks_alone(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        said = await door.ask("/robots.txt")
        assert (said.status, said.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert said.body == b"User-agent: *\nDisallow: /c/\nDisallow: /px.gif\n"

    at_the_door(scenario, tmp_path)


def test_a_large_feed_is_streamed_as_the_client_reads(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        content = os.urandom(1024) * 64 * 1024
        _write(door, f"{NAME}.xml", content)
        client = await door.client()
        client.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode() * 2)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        head = await client.reader.readuntil(b"\r\n\r\n")
        assert f"content-length: {len(content)}".encode() in head.lower()
        assert (await door.ask("/livez")).status == 200, "others are served meanwhile"
        (guest,) = (one for one in door.server._guests if one._stream)  # type: ignore[attr-defined]
        assert guest._stream.left > len(content) // 2, "no more is read than is taken"  # type: ignore[attr-defined]
        for place in range(2):
            for at in range(0, len(content), PIECE):
                piece = await client.reader.readexactly(min(PIECE, len(content) - at))
                assert piece == content[at : at + PIECE]
            if place == 0:
                await client.reader.readuntil(b"\r\n\r\n")
        grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown_kb < 32 * 1024

    at_the_door(scenario, tmp_path)


def test_a_feed_that_is_replaced_meanwhile_is_sent_as_it_was(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        content = b"old " * 4 * 1024 * 1024
        path = _write(door, f"{NAME}.xml", content)
        client = await door.client()
        client.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        await client.reader.readuntil(b"\r\n\r\n")
        fresh = door.feeds / "fresh"
        fresh.write_bytes(b"new")
        fresh.rename(path)
        assert await client.reader.readexactly(len(content)) == content
        assert (await door.ask(f"/f/{NAME}.xml")).body == b"new"

    at_the_door(scenario, tmp_path)


def test_a_feed_that_is_cut_short_ends_the_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario(door: Door) -> None:
        path = _write(door, f"{NAME}.xml", b"x" * 16 * 1024 * 1024)
        client = await door.client()
        client.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        await client.reader.readuntil(b"\r\n\r\n")
        os.truncate(path, 10)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await client.reader.readexactly(16 * 1024 * 1024)

    at_the_door(scenario, tmp_path)
    assert "a body could not be read" in caplog.text


def test_an_empty_feed_is_empty(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"")
        client = await door.client()
        client.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode() * 2)
        for _ in range(2):
            said = await client.said()
            assert (said.status, said.headers["content-length"]) == (200, "0")

    at_the_door(scenario, tmp_path)


def test_who_stops_reading_is_let_go(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"x" * 64 * 1024 * 1024)
        client = await door.client()
        client.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode())
        await client.reader.readuntil(b"\r\n\r\n")
        await door.server.drain(FAR)  # ends only when every connection is gone

    at_the_door(scenario, tmp_path, limits=ServerLimits(head_s=FAR, idle_s=0.05, tick_s=0.01))


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_no_file_stays_open(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        _write(door, f"{NAME}.xml", b"x" * 1024 * 1024)
        await door.ask(f"/f/{NAME}.xml")
        before = _open_files()
        for _ in range(20):
            await door.ask(f"/f/{NAME}.xml")
            await door.ask(f"/f/{NAME}.xml", "HEAD")
            await door.ask(f"/f/{NAME}.xml", headers={"If-None-Match": "*"})
            gone = await door.client()
            gone.send(f"GET /f/{NAME}.xml HTTP/1.1\r\nHost: edge\r\n\r\n".encode() * 3)
            await gone.reader.readuntil(b"\r\n\r\n")
            gone.writer.transport.abort()
        await door.server.drain(FAR)
        assert _open_files() <= before

    at_the_door(scenario, tmp_path)
