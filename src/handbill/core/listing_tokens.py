"""The two signed texts that travel through the outside world: the listing token and the click id.

A **listing token** stands in every outbound tracking URL and freezes who is paid what for a click.
A **click id** (``jClickId``) is a listing token plus when and which click; whoever returns it can
be believed. Both are base64url without padding. **Source**: contract 5, safety.md redirector,
domain 6.6.
"""

import binascii
import hashlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

from handbill.core.nouns import BID_TYPES, BidType
from handbill.kit.instants import Instant
from handbill.kit.signing import MAC_BYTES, mac, put_number, same, take_number

_LISTING = 1
_CLICK = 2
_RANDOM_BYTES = 16
_AT_BYTES = 7
_MOST_TEXT = 256
_KNOWN_TERMS = 16_384
JOB = slice(1, 17)  # of a packed listing
MARK_AT = 4  # three bytes stand before a listing token's job: that many characters
_TYPE_BYTES = {bid_type: bytes((place,)) for place, bid_type in enumerate(BID_TYPES)}
_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")  # "!" is no digit: the decoder refuses it
_PADDING = (b"", b"", b"==", b"=")
# By the length modulo 4, which characters can be the last: its unused low bits are 0.
_LAST: tuple[frozenset[int], ...] = (
    frozenset(_DIGITS),
    frozenset(),
    frozenset(_DIGITS[::16]),
    frozenset(_DIGITS[::4]),
)


class NotOurs(ValueError):
    """The text was not signed by us, or was altered."""


class Listing(NamedTuple):
    """One job offered to one publisher at one bid, as frozen in a link.

    ``bid_micros`` is the trader's own bid (what ``spent`` counts and, marked up, the
    client's caps); ``price_micros`` is what the publisher is shown and charges: the bid less
    markdown.
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


# All jobs of a placement share these six numbers, so few of them are read again and again.
@lru_cache(_KNOWN_TERMS)
def _terms(packed: bytes) -> tuple[int, ...]:
    numbers = []
    at = 0
    for _ in range(6):
        number, at = take_number(packed, at)
        numbers.append(number)
    if at != len(packed):
        raise ValueError("something follows")
    return tuple(numbers)


def _pack(listing: Listing) -> bytes:
    client, campaign, group, publisher, job_id, bid_type, bid, price = listing
    terms = b"".join(map(put_number, (client, campaign, group, publisher, bid, price)))
    return _TYPE_BYTES[bid_type] + job_id + terms


def _unpack(packed: bytes) -> Listing:
    bid_type, (client, campaign, group, publisher, bid, price) = terms_of(packed)
    return Listing(client, campaign, group, publisher, packed[JOB], bid_type, bid, price)


def _spell(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=")


def _decoded(spelled: bytes) -> bytes:
    """What a text spells. **Refuses** (NotOurs) all but the one spelling that we emit.

    It differs from Base64's other spellings of the same bytes in its alphabet, in having no
    padding, and in the low bits of its last character.
    """
    length = len(spelled)
    rest = length % 4
    if not 2 < length <= _MOST_TEXT or spelled[-1] not in _LAST[rest]:
        raise NotOurs
    try:
        return a2b_base64(spelled.translate(_FROM_URL) + _PADDING[rest], strict_mode=True)
    except binascii.Error as bad:
        raise NotOurs from bad


def _opened(text: str | bytes, kind: int, keys: Mapping[int, bytes]) -> bytes:
    """The signed bytes without their MAC. **Refuses** (NotOurs) anything not signed by ``keys``."""
    raw = _decoded(text.encode("ascii", "replace") if isinstance(text, str) else text)
    signed = raw[:-MAC_BYTES]
    if len(signed) < 2 or signed[0] != kind or (key := keys.get(signed[1])) is None:
        raise NotOurs
    if not same(mac(key, signed), raw[-MAC_BYTES:]):
        raise NotOurs
    return signed


def _closed(signed: bytes, key: bytes) -> bytes:
    return _spell(signed + mac(key, signed))


def listing_token(listing: Listing, kid: int, key: bytes) -> str:
    """Sign a listing for use in a tracking URL."""
    return _closed(bytes((_LISTING, kid)) + _pack(listing), key).decode("ascii")


def open_listing(token: str | bytes, keys: Mapping[int, bytes]) -> Listing:
    """Read a token back. **Refuses** (NotOurs) what none of ``keys`` (by key id) has signed."""
    signed = _opened(token, _LISTING, keys)
    try:
        return _unpack(signed[2:])
    except (ValueError, IndexError) as bad:
        raise NotOurs from bad


def click_id(click: Click, kid: int, key: bytes) -> str:
    """Sign a click. ``random`` must be 16 fresh random bytes."""
    random, at, listing = click
    return click_signer(kid, key)(_pack(listing), random, at).decode("ascii")


def open_click(text: str | bytes, keys: Mapping[int, bytes]) -> Click:
    """Read a click id back. **Refuses** (NotOurs) what none of ``keys`` has signed."""
    signed = _opened(text, _CLICK, keys)
    at_start = 2 + _RANDOM_BYTES
    try:
        listing = _unpack(signed[at_start + _AT_BYTES :])
    except (ValueError, IndexError) as bad:
        raise NotOurs from bad
    at = int.from_bytes(signed[at_start : at_start + _AT_BYTES], "big")
    return Click(signed[2:at_start], at, listing)


def job_mark(job_id: bytes) -> bytes:
    """Part of each listing token of a job, whatever its terms: from ``MARK_AT`` on. By it a job's
    link is found in a file.
    """
    return _spell(job_id[:15])


def token_at(text: bytes, start: int) -> bytes:
    """The characters from ``start`` on that can belong to one token."""
    end = start
    while end < len(text) and end - start <= _MOST_TEXT and text[end] in _LAST[0]:
        end += 1
    return text[start:end]


def listing_signer(listing: Listing, kid: int, key: bytes) -> Callable[[bytes], bytes]:
    """``listing_token`` for many jobs on the same terms: job id (16 bytes) → token as ASCII.

    All but the job is packed once; a feed of 100,000 jobs needs as many tokens at each change.
    """
    empty = _pack(listing._replace(job_id=b""))
    head, tail = bytes((_LISTING, kid)) + empty[:1], empty[1:]
    keyed = _keyed(key)

    def sign(job_id: bytes) -> bytes:
        signed = head + job_id + tail
        digest = keyed.copy()
        digest.update(signed)
        return _spell(signed + digest.digest())

    return sign


def listing_opener(keys: Mapping[int, bytes]) -> Callable[[bytes], bytes]:
    """``open_listing`` for many tokens: token → the listing as it is packed.

    ``packed[JOB]`` is its job; ``terms_of`` and ``click_signer`` take the whole.
    """
    states = {kid: _keyed(key) for kid, key in keys.items()}

    def opened(token: bytes) -> bytes:
        raw = _decoded(token)
        signed = raw[:-MAC_BYTES]
        if len(signed) < 2 or signed[0] != _LISTING or (state := states.get(signed[1])) is None:
            raise NotOurs
        digest = state.copy()
        digest.update(signed)
        if not same(digest.digest(), raw[-MAC_BYTES:]):
            raise NotOurs
        return signed[2:]

    return opened


def terms_of(packed: bytes) -> tuple[BidType, tuple[int, ...]]:
    """What a packed listing says beside its job: the numbers in the order of Listing."""
    return BID_TYPES[packed[0]], _terms(packed[JOB.stop :])


def click_signer(kid: int, key: bytes) -> Callable[[bytes, bytes, Instant], bytes]:
    """``click_id`` for many clicks: packed listing, 16 random bytes and instant → ASCII."""
    head = bytes((_CLICK, kid))
    keyed = _keyed(key)

    def sign(packed: bytes, random: bytes, at: Instant) -> bytes:
        signed = head + random + at.to_bytes(_AT_BYTES, "big") + packed
        digest = keyed.copy()
        digest.update(signed)
        spelled = b2a_base64(signed + digest.digest(), newline=False)
        return spelled.translate(_TO_URL).rstrip(b"=")

    return sign


def _keyed(key: bytes) -> "hashlib.blake2b":
    """The state of ``mac`` after its key."""
    return hashlib.blake2b(key=key, digest_size=MAC_BYTES)
