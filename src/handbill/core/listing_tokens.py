"""The two sealed texts that travel through the outside world: the listing token and the click id.

A **listing token** is in every outbound tracking URL and freezes who is paid what for a click. A
**click id** (``jClickId``) says the same of one click, with its time and identity; a returned one
can be trusted. Only we can read who is paid what: it is sealed (AES-SIV, RFC 5297). The job and the
click stand beside it, bound to it by its tag. The same listing makes the same token. Both are
base64url without padding. **Source**: contract 5, safety.md redirector, domain 6.6,
docs/decisions/0031.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from handbill.core.nouns import BID_TYPES, BidType
from handbill.core.rates import UNQUOTED, Quote
from handbill.core.spelled_tokens import ForeignToken, decoded, spell, token_at
from handbill.kit.instants import Instant
from handbill.kit.signing import MAC_BYTES, mac, put_number, same, take_number

_LISTING, _CLICK = 3, 4
_OPEN_LISTING, _OPEN_CLICK = 1, 2
"""Kinds that were signed and readable by everybody: still accepted, but no longer made."""
_RANDOM_BYTES = 16
_AT_BYTES = 7
_SEALED_AT = {_LISTING: 18, _CLICK: 18 + _RANDOM_BYTES + _AT_BYTES}
"""The number of bytes before the sealed part, by kind."""
_KNOWN_TERMS = 16_384
_KNOWN_TOKENS = 16_384
_STEP = 32
"""Terms are padded to a multiple of this, so that no length reveals how high a bid is."""
_TAG_BYTES = 16
_LENGTHS = sorted(
    -(-(before + _TAG_BYTES + size) * 4 // 3)
    for before in _SEALED_AT.values()
    for size in (_STEP, 2 * _STEP)
)
"""The length of a spelled token or click id, in characters."""
_TEST_BIT = 0x80
"""Of the byte that names the type of the bid: what is sealed with it is a test, and free."""
_JOINTS = (b"-", b"_")
_MOST_SPELLED = 1_024
_INSERTED = re.compile(
    rb"=?\r?\n[ \t]*|[ \t]+"  # a broken line; "=": quoted-printable (RFC 2045, 6.7)
    rb"|\\(?=[_-])"  # Markdown
    rb"|\xc2\xad|\xe2\x80[\x8b-\x8f]|\xe2\x81\xa0|\xef\xbb\xbf"  # where a line may be broken
)
"""What programs for mails and messages put within a link."""
_MS = 1_000
JOB = slice(0, 16)  # of a packed listing
MARK_AT = 4  # three bytes stand before the part of the job that a token shows: that many characters
_TYPE_BYTES = {bid_type: bytes((place,)) for place, bid_type in enumerate(BID_TYPES)}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One job offered to one publisher at one bid, as frozen in a link.

    ``bid_micros`` is the trader's own bid (counted by ``spent`` and, marked up, by the client's
    caps); ``price_micros`` is what the publisher is shown and charges: the bid less markdown, in
    its own currency. ``listed_at`` is when a file first showed the listing at these; whole
    milliseconds, 0 if a link does not say. ``quote``: what the bid was converted from, and the rate
    (picos) of the price; 0s if nothing was converted.
    """

    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    job_id: bytes  # 16: the md5 that the contract spells in 32 hex digits
    bid_type: BidType
    bid_micros: int
    price_micros: int
    listed_at: Instant = 0
    quote: Quote = UNQUOTED


class SealedClick(NamedTuple):
    """The content of a click id. ``random`` is its identity in the ledger."""

    random: bytes
    at: Instant
    listing: Listing


# All jobs of a placement share these numbers, so the same few are read again and again.
@lru_cache(_KNOWN_TERMS)
def _terms(packed: bytes) -> tuple[BidType, tuple[int, ...], Quote]:
    numbers = []
    at = 1
    for _ in range(7):
        number, at = take_number(packed, at)
        numbers.append(number)
    numbers[-1] *= _MS
    quote = UNQUOTED
    if packed[at:].strip(b"\0"):
        quoted = []
        for _ in UNQUOTED:
            number, at = take_number(packed, at)
            quoted.append(number)
        quote = Quote(*quoted)
        if packed[at:].strip(b"\0"):
            raise ValueError("something follows")
    return BID_TYPES[packed[0] & ~_TEST_BIT], tuple(numbers), quote


def _pack(listing: Listing) -> bytes:
    numbers: tuple[int, ...] = (
        listing.client_no,
        listing.campaign_no,
        listing.group_no,
        listing.publisher_no,
        listing.bid_micros,
        listing.price_micros,
        listing.listed_at // _MS,
    )
    if listing.quote != UNQUOTED:
        numbers += listing.quote
    terms = _TYPE_BYTES[listing.bid_type] + b"".join(map(put_number, numbers))
    return listing.job_id + _filled(terms)


def _filled(terms: bytes) -> bytes:
    return terms + bytes(-len(terms) % _STEP)


def _unpack(packed: bytes) -> Listing:
    bid_type, (client, campaign, group, publisher, bid, price, listed_at), quote = terms_of(packed)
    return Listing(
        client_no=client,
        campaign_no=campaign,
        group_no=group,
        publisher_no=publisher,
        job_id=packed[JOB],
        bid_type=bid_type,
        bid_micros=bid,
        price_micros=price,
        listed_at=listed_at,
        quote=quote,
    )


@lru_cache(64)
def _sealer(key: bytes) -> AESSIV:
    """AES-256-SIV under its own key: the secret itself signs the open kinds."""
    return AESSIV(hashlib.blake2b(key=key, person=b"listing sealer", digest_size=64).digest())


def _opened(text: str | bytes, kinds: tuple[int, int], keys: Mapping[int, bytes]) -> bytes:
    """The content of a text before it was sealed or signed: everything before the job, and the
    packed listing. ``kinds``: the sealed and the open one. **Refuses** (ForeignToken) anything not
    made under ``keys``.
    """
    raw = decoded(text.encode("ascii", "replace") if isinstance(text, str) else text)
    if len(raw) < 2 or (key := keys.get(raw[1])) is None:
        raise ForeignToken
    sealed, plain = kinds
    if raw[0] == sealed:
        at = _SEALED_AT[sealed]
        try:
            return raw[:at] + _sealer(key).decrypt(raw[at:], [raw[:at]])
        except (InvalidTag, ValueError) as bad:
            raise ForeignToken from bad
    signed = raw[:-MAC_BYTES]
    if raw[0] != plain or not same(mac(key, signed), raw[-MAC_BYTES:]):
        raise ForeignToken
    # In open kinds, the type of the bid stands before the job.
    at = _SEALED_AT[sealed] - 16
    return signed[:at] + signed[at + 1 : at + 17] + _filled(signed[at : at + 1] + signed[at + 17 :])


def listing_token(listing: Listing, kid: int, key: bytes) -> str:
    """Seal a listing for use in a tracking URL."""
    return listing_signer(listing, kid, key)(listing.job_id).decode("ascii")


def token_to_test(listing: Listing, kid: int, key: bytes) -> str:
    """Seal a listing for a link that is a test: ``is_test`` tells its clicks and click ids."""
    packed = bytearray(_pack(listing))
    packed[JOB.stop] |= _TEST_BIT
    shown = bytes((_LISTING, kid)) + listing.job_id
    terms = bytes(packed[JOB.stop :])
    return spell(shown + _sealer(key).encrypt(terms, [shown])).decode("ascii")


def is_test(packed: bytes) -> bool:
    """Whether a packed listing was sealed for a test."""
    return bool(packed[JOB.stop] & _TEST_BIT)


def open_listing(token: str | bytes, keys: Mapping[int, bytes]) -> Listing:
    """Read a token. **Refuses** (ForeignToken) what none of ``keys`` (by key id) has sealed."""
    packed = _opened(token, (_LISTING, _OPEN_LISTING), keys)[2:]
    try:
        return _unpack(packed)
    except (ValueError, IndexError) as bad:
        raise ForeignToken from bad


def click_id(click: SealedClick, kid: int, key: bytes) -> str:
    """Seal a click. ``random`` must be 16 fresh random bytes."""
    random, at, listing = click
    return click_signer(kid, key)(_pack(listing), random, at).decode("ascii")


def open_click(text: str | bytes, keys: Mapping[int, bytes]) -> SealedClick:
    """Read a click id, also with other characters around it (``meant``). **Refuses** (ForeignToken)
    what none of ``keys`` has sealed.
    """
    plain = _click_said(text.encode("ascii", "replace") if isinstance(text, str) else text, keys)
    at_start = 2 + _RANDOM_BYTES
    try:
        listing = _unpack(plain[at_start + _AT_BYTES :])
    except (ValueError, IndexError) as bad:
        raise ForeignToken from bad
    at = int.from_bytes(plain[at_start : at_start + _AT_BYTES], "big")
    return SealedClick(plain[2:at_start], at, listing)


def _click_said(text: bytes, keys: Mapping[int, bytes]) -> bytes:
    kinds = (_CLICK, _OPEN_CLICK)
    try:
        return _opened(text, kinds, keys)
    except ForeignToken:
        for bare in meant(text):
            with suppress(ForeignToken):
                return _opened(bare, kinds, keys)
        raise


def job_mark(job_id: bytes) -> bytes:
    """The part that all listing tokens of a job have in common, from ``MARK_AT`` on. A job's link
    is found in a file by it.
    """
    return spell(job_id[1:])


def meant(text: bytes) -> Iterator[bytes]:
    """The parts of a text that may be the token or click id, if the whole text is none: without
    what others have added (parameters without a question mark, a sentence's full stop or bracket, a
    slash), with percent-encoding undone, and without what a mailer has put in between.
    """
    written = unquote_to_bytes(text[:_MOST_SPELLED]).lstrip()
    run = token_at(written, 0)
    if run and run != text:
        yield run
    joined = token_at(_INSERTED.sub(b"", written), 0)
    if joined != run:
        # Words behind it are joined too.
        yield joined
        yield from (joined[:length] for length in _LENGTHS if length < len(joined))
    for length in _LENGTHS:
        if run[length : length + 1] in _JOINTS:
            yield run[:length]


def listing_signer(listing: Listing, kid: int, key: bytes) -> Callable[[bytes], bytes]:
    """``listing_token`` for many jobs on the same terms: job id (16 bytes) → token as ASCII.

    All but the job is packed once; a feed of 100,000 jobs needs as many tokens at each change.
    """
    terms = _pack(msgspec.structs.replace(listing, job_id=b""))
    head, seal = bytes((_LISTING, kid)), _sealer(key).encrypt

    def sign(job_id: bytes) -> bytes:
        shown = head + job_id
        return spell(shown + seal(terms, [shown]))

    return sign


def listing_opener(keys: Mapping[int, bytes]) -> Callable[[bytes], bytes]:
    """``open_listing`` for many tokens: token → the packed listing.

    ``packed[JOB]`` is its job; ``terms_of`` and ``click_signer`` take the whole. Most clicks fall
    on few links, so the most recent ones are cached.
    """
    known = dict(keys)
    unseal = {bytes((_LISTING, kid)): _sealer(key).decrypt for kid, key in known.items()}
    at = _SEALED_AT[_LISTING]

    @lru_cache(_KNOWN_TOKENS)
    def opened(token: bytes) -> bytes:
        raw = decoded(token)
        shown = raw[:at]
        decrypt = unseal.get(shown[:2])
        if decrypt is None:
            return _opened(token, (_LISTING, _OPEN_LISTING), known)[2:]
        try:
            return shown[2:] + decrypt(raw[at:], [shown])
        except (InvalidTag, ValueError) as bad:
            raise ForeignToken from bad

    return opened


def terms_of(packed: bytes) -> tuple[BidType, tuple[int, ...], Quote]:
    """The content of a packed listing except its job: the numbers in the order of Listing, then the
    quote.
    """
    return _terms(packed[JOB.stop :])


def click_signer(kid: int, key: bytes) -> Callable[[bytes, bytes, Instant], bytes]:
    """``click_id`` for many clicks: packed listing, 16 random bytes and instant → ASCII."""
    head, seal = bytes((_CLICK, kid)), _sealer(key).encrypt

    def sign(packed: bytes, random: bytes, at: Instant) -> bytes:
        shown = head + random + at.to_bytes(_AT_BYTES, "big") + packed[JOB]
        return spell(shown + seal(packed[JOB.stop :], [shown]))

    return sign
