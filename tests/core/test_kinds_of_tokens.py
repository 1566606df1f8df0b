"""Every kind of signed text at every door: a door opens its own kind, and no other.

All are made under one and the same key, and the numbers in them are chosen so that, but for its
kind, each could be read as each other: a door that forgets to look at the kind lets one in.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from handbill.access import tokens
from handbill.access.rows import ApiClient
from handbill.callbacks.signatures import headers_of
from handbill.core.listing_tokens import (
    Listing,
    SealedClick,
    click_id,
    listing_opener,
    listing_token,
    open_click,
    open_listing,
)
from handbill.core.spelled_tokens import ForeignToken
from handbill.host.ids import SeededIds
from handbill.kit.instants import DAY, SECOND
from handbill.kit.signing import MAC_BYTES, mac, put_number
from handbill.mailings import ends
from handbill.mailings.ends import NoEnd
from handbill.stats import links
from handbill.stats.links import Linked, NoLink

KEY = b"k" * 32
KEYS = {1: KEY, 2: KEY}
NOW = 1_795_003_200 * SECOND
ISSUER = "https://api.example"
_HS256 = {"alg": "HS256", "typ": "JWT"}


@cache
def _pem() -> bytes:
    return RSAKey.generate_key(2048).as_pem(private=True)


def _spelled(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed(*parts: bytes) -> str:
    """As links were before what they say was sealed: readable, and signed as a whole."""
    raw = b"".join(parts)
    return _spelled(raw + mac(KEY, raw))


# Its bid's last byte is the type of a bid where a click has one: in time, it is a click's too.
_LISTING = Listing(
    client_no=1,
    campaign_no=2,
    group_no=3,
    publisher_no=4,
    job_id=b"j" * 16,
    bid_type="CPC",
    bid_micros=1 << 14,
    price_micros=0,
)
_NUMBERS = b"".join(
    map(
        put_number,
        (
            _LISTING.client_no,
            _LISTING.campaign_no,
            _LISTING.group_no,
            _LISTING.publisher_no,
            _LISTING.bid_micros,
            _LISTING.price_micros,
            0,
        ),
    )
)
# Its instant and its job end in bytes that are ends of numbers: it has as many as a listing.
_AT = bytes.fromhex("06 80 81 82 83 84 85")
_JOB = bytes.fromhex("80 80 80 80 80 80 80 01") * 2
_CLICK = SealedClick(
    bytes(16),
    int.from_bytes(_AT, "big"),
    Listing(
        client_no=1,
        campaign_no=2,
        group_no=3,
        publisher_no=4,
        job_id=_JOB,
        bid_type="CPC",
        bid_micros=0,
        price_micros=0,
    ),
)
_FREE = _CLICK.random, _AT, b"\0" + _JOB, bytes((1, 2, 3, 4, 0, 0, 0))


def _access(**instead: Any) -> str:
    """A token for the API, but for some claims."""
    made = tokens.issue(
        _pem(), SeededIds(1), NOW, ApiClient(1, "c", "agency", 1, "", NOW, None), ISSUER, 600
    )
    if not instead:
        return made
    key = RSAKey.import_key(_pem())
    claims = jwt.decode(made, key, ["RS256"]).claims
    return jwt.encode({"kid": key.thumbprint(), "alg": "RS256"}, claims | instead, key, ["RS256"])


def _symmetric() -> str:
    """As by somebody who takes our public key for a secret that we share."""
    said = {"iss": ISSUER, "token_use": "access", "client_id": "c", "exp": NOW // SECOND + 600}
    parts = b".".join(_spelled(json.dumps(part).encode()).encode() for part in (_HS256, said))
    public = RSAKey.import_key(_pem()).as_pem(private=False)
    return f"{parts.decode()}.{_spelled(hmac.new(public, parts, hashlib.sha256).digest())}"


KINDS: dict[str, Callable[[], str]] = {
    "listing": lambda: listing_token(_LISTING, 1, KEY),
    "click": lambda: click_id(_CLICK, 1, KEY),
    "open listing": lambda: _signed(b"\1\1", b"\0", _LISTING.job_id, _NUMBERS),
    "open click": lambda: _signed(b"\2\1", *_FREE),
    "report part": lambda: links.token_of(Linked(1, 0, NOW + DAY), KEYS),
    "first report part": lambda: links.token_of(Linked(1, 0, NOW + DAY), {1: KEY}),
    "end of mails": lambda: ends.token_of(1, "WEEKLY", KEYS),
    "first end of mails": lambda: ends.token_of(1, "WEEKLY", {1: KEY}),
    "access": _access,
    "id token": lambda: _access(token_use="id"),
    "another's access": lambda: _access(iss="https://api.elsewhere.example"),
    "symmetric access": _symmetric,
    "callback": lambda: headers_of("msg_1", b"{}", [KEY], NOW)["webhook-signature"],
    "API key": lambda: "hb_" + "a" * 12 + "_" + "a" * 40,
}
DOORS: dict[str, tuple[Callable[[str], object], set[str]]] = {
    "an edge's link": (
        lambda text: listing_opener(KEYS)(text.encode()),
        {"listing", "open listing"},
    ),
    "a listing": (lambda text: open_listing(text, KEYS), {"listing", "open listing"}),
    "a click": (lambda text: open_click(text, KEYS), {"click", "open click"}),
    "a download": (
        lambda text: links.open_link(text, KEYS, NOW),
        {"report part", "first report part"},
    ),
    "an end of mails": (
        lambda text: ends.opened(text, KEYS),
        {"end of mails", "first end of mails"},
    ),
    "the API": (lambda text: tokens.verify([_pem()], text, ISSUER, NOW) or _refuse(), {"access"}),
}


def _refuse() -> object:
    raise ForeignToken


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_door_opens_its_own_kind_alone(kind: str, door: str) -> None:
    opens, own = DOORS[door]
    if kind in own:
        assert opens(KINDS[kind]())
        return
    with pytest.raises((ForeignToken, NoLink, NoEnd)):
        opens(KINDS[kind]())


@pytest.mark.parametrize("kind", ["open listing", "open click"])
def test_only_its_kind_keeps_one_from_being_the_other(kind: str) -> None:
    """The proof that the table above can fail: with the other kind's number it is the other."""
    other = {"open listing": "a click", "open click": "a listing"}[kind]
    text = KINDS[kind]()
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))[:-MAC_BYTES]
    assert DOORS[other][0](_signed(bytes((3 - raw[0],)), raw[1:]))
