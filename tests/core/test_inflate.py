"""Gzip comes off in small steps, wholly or not without saying so."""

import gzip
import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbill.host.inflate import STEP, NotGzip, unpacked


def _cut(raw: bytes, sizes: list[int]) -> list[bytes]:
    chunks = []
    for size in sizes:
        chunks.append(raw[:size])
        raw = raw[size:]
    return [*chunks, raw]


_SIZES = st.lists(st.integers(0, 40), max_size=8)
_PARTS = st.lists(st.binary(max_size=60), min_size=1, max_size=4)


@given(_PARTS, _SIZES, st.integers(0, 20))
def test_members_however_cut(parts: list[bytes], sizes: list[int], padding: int) -> None:
    raw = b"".join(map(gzip.compress, parts)) + b"\0" * padding
    assert b"".join(unpacked(_cut(raw, sizes))) == b"".join(parts)


@given(st.binary(max_size=200), _SIZES)
def test_other_bodies_as_they_are(body: bytes, sizes: list[int]) -> None:
    body = b"<" + body
    assert b"".join(unpacked(_cut(body, sizes))) == body


def test_no_body() -> None:
    assert list(unpacked([])) == []
    assert list(unpacked([b""])) == []


def test_bomb_comes_in_bounded_steps() -> None:
    raw = gzip.compress(bytes(64 * 1024**2))
    assert len(raw) < STEP
    sizes = [len(chunk) for chunk in unpacked([raw])]
    assert max(sizes) <= STEP
    assert sum(sizes) == 64 * 1024**2


def test_large_chunks_come_in_bounded_steps() -> None:
    body = random.Random(1).randbytes(3 * STEP + 5)
    for raw in (body, gzip.compress(body, 1)):
        chunks = list(unpacked([raw]))
        assert b"".join(chunks) == body
        assert max(map(len, chunks)) <= STEP


@given(st.binary(min_size=1, max_size=300), st.data())
def test_cut_gzip_is_refused(body: bytes, data: st.DataObject) -> None:
    raw = gzip.compress(body)
    length = data.draw(st.integers(3, len(raw) - 1))
    with pytest.raises(NotGzip):
        list(unpacked([raw[:length]]))


@given(_PARTS, _SIZES, st.sampled_from([15, -15]))
def test_deflate_with_and_without_its_header(
    parts: list[bytes], sizes: list[int], bits: int
) -> None:
    body = b"<" + b"".join(parts)
    deflate = zlib.compressobj(wbits=bits)
    raw = deflate.compress(body) + deflate.flush()
    assert b"".join(unpacked(_cut(raw, sizes), deflated=True)) == body


@pytest.mark.parametrize("body", [b"<jobs/>", b"\xef\xbb\xbf<?xml version='1.0'?>", b"\n<a/>"])
def test_what_is_only_said_to_be_deflated_is_as_it_is(body: bytes) -> None:
    assert b"".join(unpacked([body], deflated=True)) == body


def test_a_zip_archive_is_named_as_such() -> None:
    with pytest.raises(NotGzip, match="ZIP archive"):
        list(unpacked([b"PK", b"\x03\x04rest"]))


def test_damaged_gzip_and_rubbish_behind_it_are_refused() -> None:
    raw = bytearray(gzip.compress(random.Random(2).randbytes(5000)))
    for damaged in (raw[:2500] + b"\xff" * 8 + raw[2508:], raw + b"<rubbish>"):
        with pytest.raises(NotGzip):
            list(unpacked([bytes(damaged)]))


def test_members_without_content_are_few() -> None:
    empty = gzip.compress(b"")
    raw = empty * 50 + gzip.compress(b"a") + empty * 50
    assert b"".join(unpacked([raw])) == b"a"
    with pytest.raises(NotGzip, match="more than 100 empty members"):
        list(unpacked([raw + empty * 2]))
