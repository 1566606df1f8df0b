"""Values that only the owner of a key can read: AES-256-SIV (RFC 5297).

Nothing is random, so equal values at one place seal to equal bytes. A nonce cannot be used twice,
and only a reader who sees the place twice can tell whether a value has changed.
"""

import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEY_BYTES = 32
NAME_BYTES = 8
MARK_BYTES = 1 + NAME_BYTES
"""The number of bytes of a sealed value that say how, and under which key, it was sealed."""
_KIND = b"\x01"


class NotSealed(ValueError):
    """The bytes were not sealed under this key for this place."""


@lru_cache(64)
def name_of(key: bytes) -> bytes:
    """A name that tells keys apart, and reveals nothing about the key."""
    return hashlib.blake2b(key, person=b"hb key name", digest_size=NAME_BYTES).digest()


def mark_of(name: bytes) -> bytes:
    """The first bytes of everything sealed under the key of this name."""
    return _KIND + name


def key_named(sealed: bytes) -> bytes:
    """The name of the key that sealed this. **Refuses** bytes that are not sealed (NotSealed)."""
    if len(sealed) < MARK_BYTES or sealed[:1] != _KIND:
        raise NotSealed
    return sealed[1:MARK_BYTES]


def seal(key: bytes, value: bytes, *place: str) -> bytes:
    """The sealed value, which can be opened only under the same key and at the same place."""
    head = mark_of(name_of(key))
    return head + _sealer(key).encrypt(value, _bound(head, place))


def opened(key: bytes, sealed: bytes, *place: str) -> bytes:
    """The opened value. **Refuses** other keys, other places and other bytes (NotSealed)."""
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
    # The cipher takes two keys in one; both are derived from ours.
    return AESSIV(hashlib.blake2b(key=key, person=b"hb sealer", digest_size=64).digest())
