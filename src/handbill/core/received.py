"""What the doors write into the journal: events as received, not yet judged.

One journal record is one msgpack array of events of **one client**, or of fetches of files, encoded
by ``encode`` and read by ``decode``. A record is stored as a whole or not at all, and so is an
array of S2S events. The format is only extended, each kind with its own tag.
"""

import re
from hashlib import md5

import msgspec

from handbill.core.listing_tokens import JOB, Listing, SealedClick, terms_of
from handbill.core.nouns import BidType
from handbill.core.rates import UNQUOTED, Quote
from handbill.kit.instants import MINUTE, Instant, iso_of

_NOT_FILLED_IN = re.compile(
    r"undefined|null|\(null\)|none|nil|nan|\[object \w+\]|\[[a-z_ ]+\]|\$?\{+[^{}]*\}+|%+[a-z_]+%+"
    r"|<[^<>]*>|#\w+#|__[a-z_]+__",
    re.IGNORECASE,
)
MOST_AHEAD = 10 * MINUTE  # clocks of two hosts may differ so much


class ReceivedClick(msgspec.Struct, array_like=True, tag=1, frozen=True, gc=False, kw_only=True):
    """A click as the edge saw it. ``ip`` and ``agent`` are raw; the judge masks and classes them.
    ``ahead``: why it was not a visit that counts (``judging.HEAD``, ``PREFETCH``, ``TEST``).
    """

    at: Instant
    random: bytes
    job_id: bytes
    client_no: int
    campaign_no: int
    group_no: int
    publisher_no: int
    bid_type: BidType
    bid_micros: int
    price_micros: int
    ip: str
    agent: str
    listed_at: Instant = 0
    quote: Quote = UNQUOTED
    ahead: str = ""


class ReceivedConversion(
    msgspec.Struct, array_like=True, tag=2, frozen=True, gc=False, kw_only=True
):
    """A conversion from S2S or a pixel. ``client_no`` is the caller's (S2S) or the pixel's client;
    the click may turn out to be another's. Without a click (organic), the fields from the click id
    are 0 and empty.
    """

    at: Instant
    client_no: int
    action: int  # 1 VIEW, 2 APPLY_START, 3 APPLY
    source: str  # "s2s" or "pixel"
    click_random: bytes = b""
    click_at: Instant = 0
    click_client_no: int = 0
    job_id: bytes = b""
    campaign_no: int = 0
    group_no: int = 0
    publisher_no: int = 0
    bid_type: str = ""
    bid_micros: int = 0
    price_micros: int = 0
    candidate_id: str = ""
    application_id: str = ""
    listed_at: Instant = 0
    quote: Quote = UNQUOTED


class ReceivedFetch(msgspec.Struct, array_like=True, tag=3, frozen=True, gc=False, kw_only=True):
    """A publisher's file was sent whole, or the reader had it already (``status`` 304). ``name``:
    the file's, without its ending. ``version``: when that was written.
    """

    at: Instant
    name: str
    version: Instant
    status: int
    reader: str


Received = ReceivedClick | ReceivedConversion | ReceivedFetch

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Received])


def encode(events: list[Received]) -> bytes:
    return _ENCODER.encode(events)


def decode(raw: bytes) -> list[Received]:
    return _DECODER.decode(raw)


def to_judge(raw: bytes, now: Instant) -> list[Received] | str:
    """A record's events; or why it is not to be judged now."""
    try:
        events = decode(raw)
    except msgspec.DecodeError:
        return "says nothing that this version knows"
    at = max([event.at for event in events], default=0)
    return f"is stamped {iso_of(at)}, which lies in the future" if at > now + MOST_AHEAD else events


def job_id_of(client_id: str, reference: str) -> bytes:
    """A job's permanent id, from its client's id and its own reference. **Shape**: 16 bytes, which
    the contract spells in 32 hex digits. **Source**: contract 3, ids.
    """
    return md5(f"{client_id}${reference}".encode(), usedforsecurity=False).digest()


def click_of(random: bytes, at: Instant, listing: Listing, ip: str, agent: str) -> ReceivedClick:
    """The journal's form of a click on a listing."""
    return ReceivedClick(
        at=at,
        random=random,
        job_id=listing.job_id,
        client_no=listing.client_no,
        campaign_no=listing.campaign_no,
        group_no=listing.group_no,
        publisher_no=listing.publisher_no,
        bid_type=listing.bid_type,
        bid_micros=listing.bid_micros,
        price_micros=listing.price_micros,
        ip=ip,
        agent=agent,
        listed_at=listing.listed_at,
        quote=listing.quote,
    )


def click_of_packed(
    packed: bytes, random: bytes, at: Instant, ip: str, agent: str, ahead: str = ""
) -> ReceivedClick:
    """``click_of`` for a listing that is still packed."""
    bid_type, (client, campaign, group, publisher, bid, price, listed_at), quote = terms_of(packed)
    return ReceivedClick(
        at=at,
        random=random,
        job_id=packed[JOB],
        client_no=client,
        campaign_no=campaign,
        group_no=group,
        publisher_no=publisher,
        bid_type=bid_type,
        bid_micros=bid,
        price_micros=price,
        ip=ip,
        agent=agent,
        listed_at=listed_at,
        quote=quote,
        ahead=ahead,
    )


def id_said(text: str) -> str:
    """The ATS's id of a candidate or application, without surrounding spaces. An unfilled
    placeholder of a page gives an empty id; otherwise all applicants would be the same.
    """
    bare = text.strip()
    return "" if _NOT_FILLED_IN.fullmatch(bare) else bare


def conversion_of(
    click: SealedClick,
    at: Instant,
    client_no: int,
    action: int,
    source: str,
    candidate_id: str = "",
    application_id: str = "",
) -> ReceivedConversion:
    """The journal's form of a conversion that carries a genuine click id."""
    listing = click.listing
    return ReceivedConversion(
        at=at,
        client_no=client_no,
        action=action,
        source=source,
        click_random=click.random,
        click_at=click.at,
        click_client_no=listing.client_no,
        job_id=listing.job_id,
        campaign_no=listing.campaign_no,
        group_no=listing.group_no,
        publisher_no=listing.publisher_no,
        bid_type=listing.bid_type,
        bid_micros=listing.bid_micros,
        price_micros=listing.price_micros,
        candidate_id=id_said(candidate_id),
        application_id=id_said(application_id),
        listed_at=listing.listed_at,
        quote=listing.quote,
    )


def organic_of(
    at: Instant,
    client_no: int,
    action: int,
    source: str,
    candidate_id: str,
    application_id: str,
    job_id: bytes = b"",
) -> ReceivedConversion:
    """The journal's form of a conversion without a click; empty ``job_id``: at no known job."""
    return ReceivedConversion(
        at=at,
        client_no=client_no,
        action=action,
        source=source,
        job_id=job_id,
        bid_type="Organic",
        candidate_id=id_said(candidate_id),
        application_id=id_said(application_id),
    )
