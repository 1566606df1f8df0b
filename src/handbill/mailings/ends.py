"""Links that end a kind of mails to a person: signed, good as long as the key that signed them.

They tell who it is by number only, and are of use for nothing else.
"""

from collections.abc import Mapping
from typing import Final

from handbill.core.mailings import MAILINGS, Mailing
from handbill.kit.signing import (
    MAC_BYTES,
    mac,
    put_number,
    same,
    spelled,
    take_number,
    unspelled,
)

KEY: Final = "link"
_PURPOSE: Final = b"end of mails\0"
_MOST: Final = 60


class NoEnd(ValueError):
    """The token was not signed by us for this, or was altered."""


def link_of(address: str, token: str) -> str:
    """The page that ends the mails. ``address``: the API's, as the public sees it."""
    return f"{address}/app/mails/end?token={token}"


def token_of(person_no: int, mailing: Mailing, keys: Mapping[int, bytes]) -> str:
    """Sign with the newest of ``keys`` (by key id, the newest last)."""
    kid = list(keys)[-1]
    signed = bytes((kid, MAILINGS.index(mailing))) + put_number(person_no)
    return spelled(signed + mac(keys[kid], _PURPOSE, signed))


def opened(token: str, keys: Mapping[int, bytes]) -> tuple[int, Mailing]:
    """Whose mails of which kind a token ends. **Refuses** (NoEnd) tokens that are not ours."""
    try:
        raw = unspelled(token, _MOST)
    except ValueError as bad:
        raise NoEnd from bad
    signed, mark = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
    key = keys.get(signed[0]) if signed else None
    if key is None or not same(mac(key, _PURPOSE, signed), mark):
        raise NoEnd
    person_no, _ = take_number(signed, 2)
    return person_no, MAILINGS[signed[1]]
