"""What a feed may make the scanner read and hold."""

import tracemalloc
from collections.abc import Iterator

import pytest

from core.test_feed_scanner import items_of
from handbill.dialects.inbound.items import ItemReader, NotWellFormed
from handbill.dialects.inbound.scanner import Malformed, scan


def endless(piece: bytes, count: int, start: bytes, end: bytes) -> Iterator[bytes]:
    yield start
    for _ in range(count):
        yield piece
    yield end


@pytest.mark.parametrize(
    ("start", "byte", "end"),
    [
        (b"<jobs><!--", b"x", b"--><job/></jobs>"),
        (b"<jobs><![CDATA[", b"\n", b"]]><job/></jobs>"),
        (b"<?p ", b"?", b"?><jobs><job/></jobs>"),
        (b"<jobs>", b" ", b"<job/></jobs>"),
        (b"<jobs>", b"x", b"<job/></jobs>"),
    ],
)
def test_forty_megabytes_between_items_are_passed_over(
    start: bytes, byte: bytes, end: bytes
) -> None:
    """Work as long as the feed, memory as small as a block: no token is ever held whole."""
    chunks = endless(byte * 65_536, 640, start, end)
    tracemalloc.start()
    found = list(scan(chunks, "job", ItemReader(), collection="jobs"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 1
    assert peak < 2_000_000


@pytest.mark.parametrize(
    ("start", "piece", "why"),
    [
        (b"<jobs><job><a><![CDATA[", b"x", "larger than 4 MB"),
        (b"<jobs><job><!--", b"x", "larger than 4 MB"),
        (b"<jobs><job ", b" ", "larger than 4 MB"),
        (b"<jobs><head ", b" ", "longer than 64 KB"),
        (b"<jobs>", b"<a>", "too many nodes"),
        (b"<jobs><job>", b"<a>", "too deep"),
        (b"<jobs><job>", b"<a></a>", "too many nodes"),
    ],
)
def test_what_never_ends_is_refused_soon(start: bytes, piece: bytes, why: str) -> None:
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for chunk in endless(piece * (65_536 // len(piece)), 160, start, b""):
            taken += len(chunk)
            yield chunk

    with pytest.raises(Malformed, match=why):
        list(scan(chunks(), "job", ItemReader(), collection="jobs"))
    assert taken < 6_000_000


def test_many_names_and_attributes_are_refused() -> None:
    names = b"".join(b"<n%d/>" % n for n in range(2_000))
    attributes = b" ".join(b"a%d=''" % n for n in range(70))
    for raw in (
        b"<jobs>" + names + b"</jobs>",
        b"<jobs><job>" + b"<x/>" * 2_000 + b"</job></jobs>",
        b"<jobs><job><x " + attributes + b"/></job></jobs>",
    ):
        with pytest.raises(Malformed, match="too many"):
            items_of(raw, [100_000])


def test_limits_of_an_item() -> None:
    reader = ItemReader()
    reader.begin()
    with pytest.raises(NotWellFormed, match="too deep"):
        reader.feed(b"<job>" + b"<a>" * 20)
