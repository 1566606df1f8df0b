"""What a publisher reads of one job now: looked up in the part that its files are made of."""

from collections.abc import Mapping

from isal import isal_zlib

from handbill.core.listing_tokens import MARK_AT, Listing, job_mark, open_listing
from handbill.core.spelled_tokens import ForeignToken, token_at
from handbill.listings.parts import UNREADABLE, path_of
from handbill.listings.rows import Part
from handbill.store.blobs import Blobs

_CHUNK = 64 * 1024  # deflate may grow a thousandfold: 66 MB at most
_MOST_LINK = 512


def published(
    blobs: Blobs, part: Part, job_id: bytes, keys: Mapping[int, bytes], chunk: int = _CHUNK
) -> Listing | None:
    """What the job's link in a part freezes; None: it is not in the part, or the part was replaced
    just now or is damaged. May read the whole part.
    """
    if not part.job_count:
        return None
    mark, sight = job_mark(job_id), b""
    unpack = isal_zlib.decompressobj(-15)
    try:
        for packed in blobs.chunks(path_of(part), chunk):
            sight = sight[-_MOST_LINK:] + unpack.decompress(packed)
            listing = _link_in(sight, mark, job_id, keys)
            if listing is not None:
                return listing
    except (FileNotFoundError, UNREADABLE):
        return None
    return None


def _link_in(sight: bytes, mark: bytes, job_id: bytes, keys: Mapping[int, bytes]) -> Listing | None:
    """The job's link in some text. A token cut off at its end does not open: it comes again."""
    at = sight.find(mark)
    while at >= 0:
        listing = _opened(token_at(sight, max(0, at - MARK_AT)), keys)
        if listing is not None and listing.job_id == job_id:
            return listing
        at = sight.find(mark, at + 1)
    return None


def _opened(token: bytes, keys: Mapping[int, bytes]) -> Listing | None:
    try:
        return open_listing(token, keys)
    except ForeignToken:
        return None
