"""The two signed texts that travel through the outside world: the listing token and the click id.

A **listing token** stands in every outbound tracking URL and freezes who is paid what for a click.
A **click id** (``jClickId``) is a listing token plus when and which click; whoever returns it can
be believed. Both are base64url without padding. **Source**: contract 5, safety.md redirector,
domain 6.6.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

from handbill.core.nouns import BID_TYPES, BidType
from handbill.kit.instants import Instant
from handbill.kit.signing import MAC_BYTES, mac, put_number, same, take_number

_LISTING = 1
_CLICK = 2
_RANDOM_BYTES = 16
_AT_BYTES = 7
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class NotOurs(ValueError):
    """The text was not signed by us, or was altered."""


class Listing(NamedTuple):
    """One job offered to one publisher at one bid, as frozen in a link.

    ``bid_micros`` is the trader's own bid (what the client's caps are compared with and ``spent``
    counts); ``price_micros`` is what the publisher is shown and charges: the bid less markdown.
    """

    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: bytes  # 16: the md5 that the contract spells in 32 hex digits
    bid_type: BidType
    bid_micros: int
    price_micros: int


class Click(NamedTuple):
    """What a click id says of itself. ``random`` is its identity in the ledger."""

    random: bytes
    at: Instant
    listing: Listing


def _pack(listing: Listing) -> bytes:
    return b"".join((
        bytes((BID_TYPES.index(listing.bid_type),)),
        listing.job_id,
        put_number(listing.client_no),
        put_number(listing.campaign_no),
        put_number(listing.group_no),
        put_number(listing.publisher_no),
        put_number(listing.bid_micros),
        put_number(listing.price_micros),
    ))  # fmt: skip


def _unpack(raw: bytes, start: int) -> Listing:
    bid_type = BID_TYPES[raw[start]]
    job_id = raw[start + 1 : start + 17]
    if len(job_id) != 16:
        raise ValueError("cut")
    numbers = []
    at = start + 17
    for _ in range(6):
        number, at = take_number(raw, at)
        numbers.append(number)
    if at != len(raw):
        raise ValueError("something follows")
    client, campaign, group, publisher, bid, price = numbers
    return Listing(client, campaign, group, publisher, job_id, bid_type, bid, price)


def _spell(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _opened(text: str | bytes, kind: int, keys: Mapping[int, bytes]) -> bytes:
    """The signed bytes without their MAC. **Refuses** (NotOurs) anything not signed by ``keys``."""
    raw_text = text.encode("ascii", "replace") if isinstance(text, str) else text
    if len(raw_text) > 256:
        raise NotOurs
    try:
        raw = base64.b64decode(raw_text + b"=" * (-len(raw_text) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError) as bad:
        raise NotOurs from bad
    if len(raw) < 2 + MAC_BYTES or raw[0] != kind or (key := keys.get(raw[1])) is None:
        raise NotOurs
    signed, mark = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    # Base64 has several spellings of one value; only the one that we emit is ours.
    if not same(mac(key, signed), mark) or _spell(raw).encode() != raw_text:
        raise NotOurs
    return signed


def _closed(signed: bytes, key: bytes) -> str:
    return _spell(signed + mac(key, signed))


def listing_token(listing: Listing, kid: int, key: bytes) -> str:
    """Sign a listing for use in a tracking URL."""
    return _closed(bytes((_LISTING, kid)) + _pack(listing), key)


def open_listing(token: str | bytes, keys: Mapping[int, bytes]) -> Listing:
    """Read a token back. **Refuses** (NotOurs) what none of ``keys`` (by key id) has signed."""
    signed = _opened(token, _LISTING, keys)
    try:
        return _unpack(signed, 2)
    except (ValueError, IndexError) as bad:
        raise NotOurs from bad


def click_id(click: Click, kid: int, key: bytes) -> str:
    """Sign a click. ``random`` must be 16 fresh random bytes."""
    head = bytes((_CLICK, kid)) + click.random + click.at.to_bytes(_AT_BYTES, "big")
    return _closed(head + _pack(click.listing), key)


def open_click(text: str | bytes, keys: Mapping[int, bytes]) -> Click:
    """Read a click id back. **Refuses** (NotOurs) what none of ``keys`` has signed."""
    signed = _opened(text, _CLICK, keys)
    at_start = 2 + _RANDOM_BYTES
    try:
        listing = _unpack(signed, at_start + _AT_BYTES)
    except (ValueError, IndexError) as bad:
        raise NotOurs from bad
    at = int.from_bytes(signed[at_start : at_start + _AT_BYTES], "big")
    return Click(signed[2:at_start], at, listing)


def listing_signer(listing: Listing, kid: int, key: bytes) -> Callable[[bytes], bytes]:
    """``listing_token`` for many jobs on the same terms: job id (16 bytes) → token as ASCII.

    All but the job is packed once; a feed of 100,000 jobs needs as many tokens at each change.
    """
    empty = _pack(listing._replace(job_id=b""))
    head, tail = bytes((_LISTING, kid)) + empty[:1], empty[1:]
    keyed = hashlib.blake2b(key=key, digest_size=MAC_BYTES)

    def sign(job_id: bytes) -> bytes:
        signed = head + job_id + tail
        digest = keyed.copy()
        digest.update(signed)
        spelled = binascii.b2a_base64(signed + digest.digest(), newline=False)
        return spelled.translate(_URL_SAFE).rstrip(b"=")

    return sign
