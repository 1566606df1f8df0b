"""Links to the parts of a report: signed, bound to report and part, valid for a day."""

from collections.abc import Mapping
from typing import NamedTuple

from handbill.kit.instants import DAY, SECOND, Instant
from handbill.kit.signing import (
    MAC_BYTES,
    mac,
    put_number,
    same,
    spelled,
    take_number,
    unspelled,
)

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
    return spelled(signed + mac(keys[kid], _PURPOSE, signed))


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


def _read(token: str) -> bytes:
    try:
        raw = unspelled(token, _MOST)
    except ValueError as bad:
        raise NoLink from bad
    if len(raw) <= MAC_BYTES:
        raise NoLink
    return raw
