"""Values that only who has a key can read: AES-256-SIV (RFC 5297).

Nothing is drawn, so that equal values at one place seal to equal bytes: a nonce cannot be used
twice, and only a reader who sees the place twice can see whether a value has changed.
"""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEY_BYTES = 32
NAME_BYTES = 8
MARK_BYTES = 1 + NAME_BYTES
"""How many bytes of a sealed value say how, and under which key, it was sealed."""
_KIND = b"\x01"


class NotSealed(ValueError):
    """The bytes were not sealed under this key for this place."""


@lru_cache(64)
def name_of(key: bytes) -> bytes:
    """What tells one key from another, and nothing of the key."""
    return hashlib.blake2b(key, person=b"hb key name", digest_size=NAME_BYTES).digest()


def mark_of(name: bytes) -> bytes:
    """What all begins with that is sealed under the key of this name."""
    return _KIND + name


def key_named(sealed: bytes) -> bytes:
    """The name of the key that this was sealed under. **Refuses** what is none (NotSealed)."""
    if len(sealed) < MARK_BYTES or sealed[:1] != _KIND:
        raise NotSealed
    return sealed[1:MARK_BYTES]


def seal(key: bytes, value: bytes, *place: str) -> bytes:
    """The value, to be opened under the same key at the same place only."""
    head = mark_of(name_of(key))
    return head + _sealer(key).encrypt(value, _bound(head, place))


def opened(key: bytes, sealed: bytes, *place: str) -> bytes:
    """What was sealed. **Refuses** what was not, under this key at this place (NotSealed)."""
    head = sealed[:MARK_BYTES]
    if head != mark_of(name_of(key)):
        raise NotSealed
    try:
        return _sealer(key).decrypt(sealed[MARK_BYTES:], _bound(head, place))
    except (InvalidTag, ValueError) as bad:
        raise NotSealed from bad


def _bound(head: bytes, place: tuple[str, ...]) -> list[bytes]:
    return [head, *(part.encode() for part in place)]


@lru_cache(64)
def _sealer(key: bytes) -> AESSIV:
    # The cipher takes two keys in one; both come of ours.
    return AESSIV(hashlib.blake2b(key=key, person=b"hb sealer", digest_size=64).digest())
