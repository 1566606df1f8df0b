"""Renders what one client adds to a publisher's files.

A part is a blob, named by its digest: raw deflate that ends on a byte boundary and without a last
block, so that any sequence of parts makes one gzip member.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from isal import isal_zlib

from handbill.core.listing_tokens import Listing, listing_signer
from handbill.core.nouns import Client, Publisher
from handbill.core.price_ends import Frozen, ShownLine
from handbill.dialects.outbound import ClientSchema, Fragment, fragment_of, splice_of
from handbill.jobs import service as jobs
from handbill.kit import digests
from handbill.kit.batches import batches
from handbill.listings import rosters
from handbill.listings.fragments import Fragments
from handbill.listings.offers import Offered, OneListing
from handbill.listings.rosters import History
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs
from handbill.store.records import Records

BATCH = 1_000
UNREADABLE: type[Exception] = isal_zlib.error  # type: ignore[assignment]
"""What reading a damaged part raises."""
_LEVEL = 1
_FORM = 1
"""To be raised when equal offers come to make other bytes: the form of links is part of them."""
_OWN_NODES = Fragment(b"", b"")
"""Stored for a job with nodes for single publishers: see the publisher's own key."""
_NOT_YET = Fragment(b"", b"not rendered yet")


@dataclass(frozen=True, slots=True)
class Stall:
    """Where the parts of one publisher and client are made."""

    records: Records
    blobs: Blobs
    fragments: Fragments
    scratch: Path
    client: Client
    publisher: Publisher
    shape: ClientSchema
    link: str
    """The address of a click, without its token."""
    kid: int
    key: bytes


def folder_of(publisher_no: int, client_no: int) -> str:
    return f"parts/{publisher_no}/{client_no}"


def path_of(part: Part) -> str:
    name = f"{part.digest.hex()}-{part.roster.hex()}"
    return f"{folder_of(part.publisher_no, part.client_no)}/{name}.deflate"


def digest_of(stall: Stall, offers_digest: bytes) -> bytes:
    """The digest of a part, of everything that it is made from except the times of its links, which
    are in its roster.
    """
    return digests.digest_of(
        stall.shape.digest,
        stall.shape.currency,
        stall.publisher.id,
        stall.publisher.no,
        stall.publisher.body.bid_type,
        stall.client.no,
        stall.link,
        stall.kid,
        offers_digest,
        _FORM,
    )


def write_part(
    stall: Stall, digest: bytes, listed: Iterable[OneListing], past: History
) -> tuple[Part, Mapping[bytes, ShownLine], AbstractSet[bytes]]:
    """Render a part into blobs; also returns the listings that end with it, and the jobs that are
    in it no longer. Former parts stay until the new one is on record.
    """
    local = stall.scratch / f"part-{stall.publisher.no}-{stall.client.no}.deflate"
    try:
        with new_file(local) as packed:
            roster = rosters.RosterWriter(past)
            count, size, crc = _rendered(stall, listed, packed, roster)
        publisher_no, client_no = stall.publisher.no, stall.client.no
        kept = roster.keep(stall.blobs, publisher_no, client_no)
        part = Part(
            publisher_no=publisher_no,
            client_no=client_no,
            digest=digest,
            job_count=count,
            plain_bytes=size,
            crc=crc,
            roster=kept,
        )
        stall.blobs.put_file(path_of(part), local)
    finally:
        local.unlink(missing_ok=True)
    return part, roster.ended, roster.left()


def formers(blobs: Blobs, part: Part, former: Part | None) -> list[str]:
    """The blobs of a publisher's and client's parts except those of this one, and the former
    roster, which readers of the records may still need.
    """
    current = path_of(part) if part.job_count else ""
    paths = blobs.paths(folder_of(part.publisher_no, part.client_no))
    return [*rosters.formers(blobs, part, former), *(path for path in paths if path != current)]


def new_file(path: Path) -> BinaryIO:
    """A new file: an old one of that name, left by a dead run, may be linked as a blob by now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    return path.open("xb", buffering=0)


def packer() -> isal_zlib.Compress:
    """Raw deflate."""
    return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)


_Splice = tuple[Callable[[bytes], bytes], bytes, bytes, bytes, bool]
"""The signer, the text before and after a token, the tail of the job's line in the roster, and
whether the listing is unchanged.
"""
_Splices = dict[tuple[Offered, int], _Splice]


def _rendered(
    stall: Stall, listed: Iterable[OneListing], packed: BinaryIO, roster: rosters.RosterWriter
) -> tuple[int, int, int]:
    """Write the part; number of jobs, bytes and CRC of the plain text."""
    count = size = crc = 0
    pack = packer()
    splices: _Splices = {}
    for batch in batches(listed, BATCH):
        pieces = _pieces(stall, batch, splices, roster)
        content = b"".join(pieces)
        packed.write(pack.compress(content))
        crc = isal_zlib.crc32(content, crc)
        size += len(content)
        count += len(batch)
    packed.write(pack.flush(isal_zlib.Z_FULL_FLUSH))
    return count, size, crc


def _pieces(
    stall: Stall, batch: list[OneListing], splices: _Splices, roster: rosters.RosterWriter
) -> list[bytes]:
    """Fragments with their tracking URLs and bids between; a fixed number of pieces per job."""
    fragments = _fragments(stall, batch)
    pieces: list[bytes] = []
    ended, note = roster.ended, roster.lines.append
    for _, job_id, _, offered in batch:
        former = ended.get(job_id)
        key = offered, id(former)  # former lines are few, and live as long as the roster
        splice = splices.get(key)
        if splice is None:
            splice = splices[key] = _splice(stall, offered, roster, former)
        sign, start, end, tail, stands = splice
        if stands:
            del ended[job_id]
        note(job_id + tail)
        before, after = fragments[job_id]
        pieces += (before, start, sign(job_id), end, after)
    return pieces


def _splice(
    stall: Stall, offered: Offered, roster: rosters.RosterWriter, former: ShownLine | None
) -> _Splice:
    bid_type = stall.publisher.body.bid_type
    frozen = Frozen(offered.group_no, bid_type, offered.bid_micros, offered.price_micros)
    listed_at, tail, stands = roster.tail(frozen, former)
    start, end = splice_of(stall.shape, bid_type, offered.price_micros)
    listing = Listing(
        client_no=stall.client.no,
        campaign_no=offered.campaign_no,
        group_no=offered.group_no,
        publisher_no=stall.publisher.no,
        job_id=b"",
        bid_type=bid_type,
        bid_micros=offered.bid_micros,
        price_micros=offered.price_micros,
        listed_at=listed_at,
        quote=offered.quote,
    )
    sign = listing_signer(listing, stall.kid, stall.key)
    return sign, start + stall.link.encode(), end, tail, stands


def _fragments(stall: Stall, batch: list[OneListing]) -> dict[bytes, Fragment]:
    """The fragment of each job, rendered where the cache has none."""
    fragments = stall.fragments.get(stall.shape.digest, ((job.job_id, job.digest) for job in batch))
    own = [job for job in batch if fragments.get(job.job_id) == _OWN_NODES]
    if own:
        fragments.update(dict.fromkeys((job.job_id for job in own), _NOT_YET))
        fragments |= stall.fragments.get(_own_key(stall), ((job.job_id, job.digest) for job in own))
    missing = [job for job in batch if fragments.get(job.job_id, _NOT_YET) is _NOT_YET]
    if missing:
        fragments |= _render(stall, missing)
    return fragments


def _render(stall: Stall, missing: list[OneListing]) -> dict[bytes, Fragment]:
    """Render jobs and store them. One that has changed since it was listed is rendered as it is
    now, and again when that change is published.
    """
    with stall.records.read() as tx:
        bodies = jobs.jobs_by_number(tx, (job.job_no for job in missing))
    shared, own = [], []
    rendered: dict[bytes, Fragment] = {}
    for listed in missing:
        job = bodies[listed.job_no]
        fragment = fragment_of(stall.shape, job.body, stall.publisher.id, job.created_at)
        rendered[listed.job_id] = fragment
        kept = (listed.job_id, listed.digest, fragment)
        if job.body.publisher_nodes:
            own.append(kept)
            kept = (listed.job_id, listed.digest, _OWN_NODES)
        shared.append(kept)
    stall.fragments.put(stall.shape.digest, shared)
    stall.fragments.put(_own_key(stall), own)
    return rendered


def _own_key(stall: Stall) -> bytes:
    named = stall.shape.digest + stall.publisher.id.encode()
    return hashlib.blake2b(named, digest_size=len(stall.shape.digest)).digest()
