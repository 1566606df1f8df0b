"""A job's link is found in a part, wherever the chunks that it is read in are cut."""

from pathlib import Path

import pytest
from isal import isal_zlib

from handbill.core.listing_tokens import Listing, job_mark, listing_token
from handbill.listings.parts import path_of
from handbill.listings.published import published
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs, open_blobs

KEYS = {1: b"k" * 32}
WANTED = bytes(range(16))
PART = Part(3, 1, b"d" * 16, 1, 0, 0)


def _listing(job_id: bytes) -> Listing:
    return Listing(
        client_no=1,
        campaign_no=2,
        group_no=3,
        publisher_no=4,
        job_id=job_id,
        bid_type="CPC",
        bid_micros=500_000,
        price_micros=400_000,
    )


def _link(job_id: bytes) -> bytes:
    return (
        b"<url>https://go.example/c/%b</url>" % listing_token(_listing(job_id), 1, KEYS[1]).encode()
    )


def _blobs(folder: Path, *pieces: bytes) -> Blobs:
    blobs = open_blobs(str(folder / "blobs"))
    pack = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    packed = [pack.compress(piece) + pack.flush(isal_zlib.Z_SYNC_FLUSH) for piece in pieces]
    blobs.put(path_of(PART), b"".join(packed))
    return blobs


@pytest.mark.parametrize("chunk", [1, 7, 64, 65_536])
def test_a_link_is_found_however_it_is_cut(tmp_path: Path, chunk: int) -> None:
    others = [_link(bytes([n]) * 16) * 20 for n in (1, 2)]
    link = _link(WANTED)
    blobs = _blobs(tmp_path, others[0], link[:40], link[40:90], link[90:], others[1])
    assert published(blobs, PART, WANTED, KEYS, chunk) == _listing(WANTED)


def test_what_only_looks_like_it_is_passed_over(tmp_path: Path) -> None:
    mark = job_mark(WANTED)
    near = WANTED[:15] + b"!"
    blobs = _blobs(tmp_path, mark, b"<b>AQEA" + mark + b"</b>", _link(near))
    assert published(blobs, PART, WANTED, KEYS, 50) is None
    assert published(blobs, PART, near, KEYS, 50) == _listing(near)


def test_a_job_of_zeroes_is_found_too(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path, _link(bytes(16)))
    assert published(blobs, PART, bytes(16), KEYS, 9) == _listing(bytes(16))


def test_a_part_that_is_empty_or_gone_has_no_job(tmp_path: Path) -> None:
    blobs = _blobs(tmp_path, _link(WANTED))
    assert published(blobs, PART._replace(job_count=0), WANTED, KEYS) is None
    assert published(blobs, PART._replace(digest=b"e" * 16), WANTED, KEYS) is None
