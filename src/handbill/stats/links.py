"""Links to the parts of a report: signed, bound to report and part, valid for a day."""

import base64
import binascii
from collections.abc import Mapping
from typing import NamedTuple

from handbill.kit.instants import DAY, SECOND, Instant
from handbill.kit.signing import MAC_BYTES, mac, put_number, same, take_number

GOOD_FOR = DAY
_PURPOSE = b"report part\0"
_MOST = 100


class Linked(NamedTuple):
    report_no: int
    part: int
    until: Instant


class NoLink(ValueError):
    """The token was not signed by us, was altered, or has expired."""


def token_of(linked: Linked, keys: Mapping[int, bytes]) -> str:
    """Sign with the newest of ``keys`` (by key id, the newest last)."""
    kid = list(keys)[-1]
    numbers = (linked.report_no, linked.part, linked.until // SECOND)
    signed = bytes((kid,)) + b"".join(put_number(number) for number in numbers)
    return _spell(signed + mac(keys[kid], _PURPOSE, signed))


def open_link(token: str, keys: Mapping[int, bytes], now: Instant) -> Linked:
    """What a token leads to. **Refuses** (NoLink) tokens that are not ours or have expired."""
    raw = _read(token)
    signed, mark = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    key = keys.get(signed[0]) if signed else None
    if key is None or not same(mac(key, _PURPOSE, signed), mark):
        raise NoLink
    report_no, at = take_number(signed, 1)
    part, at = take_number(signed, at)
    seconds, _ = take_number(signed, at)
    if seconds * SECOND <= now:
        raise NoLink
    return Linked(report_no, part, seconds * SECOND)


def _spell(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def _read(token: str) -> bytes:
    if len(token) > _MOST:
        raise NoLink
    padded = token.encode("ascii", "replace") + b"=" * (-len(token) % 4)
    try:
        raw = base64.b64decode(padded, b"-_", validate=True)
    except (binascii.Error, ValueError) as bad:
        raise NoLink from bad
    # Base64 has several spellings of one value; only the one that we write is accepted.
    if len(raw) <= MAC_BYTES or _spell(raw) != token:
        raise NoLink
    return raw
