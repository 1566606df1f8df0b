"""Short keyed marks that distinguish our own texts from forged ones."""

import hashlib
import hmac
from functools import lru_cache

MAC_BYTES = 10  # 80 bits: safety.md, redirector


@lru_cache(64)
def _keyed(key: bytes) -> "hashlib.blake2b":
    """The state after the key: half of the work for a short text."""
    return hashlib.blake2b(key=key, digest_size=MAC_BYTES)


def mac(key: bytes, *parts: bytes) -> bytes:
    """An 80-bit keyed mark over the parts (BLAKE2b, keyed)."""
    digest = _keyed(key).copy()
    for part in parts:
        digest.update(part)
    return digest.digest()


same = hmac.compare_digest  # compares in constant time


def put_number(number: int) -> bytes:
    """A natural number in as few bytes as it needs (LEB128)."""
    if number < 0:
        raise ValueError("only natural numbers can be put")
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def take_number(raw: bytes, start: int) -> tuple[int, int]:
    """Read back what put_number wrote; the number and where the next one starts.

    **Refuses** a cut or overlong number (ValueError).
    """
    number = shift = 0
    while True:
        if start >= len(raw) or shift > 63:
            raise ValueError("a number is cut or too long")
        byte = raw[start]
        start += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, start
        shift += 7
