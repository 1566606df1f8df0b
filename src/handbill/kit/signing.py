"""Short keyed marks that distinguish our own texts from forged ones."""

import base64
import binascii
import hashlib
import hmac
import re
from functools import lru_cache

_SPELLED = re.compile(r"[A-Za-z0-9_-]*")
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


def spelled(raw: bytes) -> str:
    """The one text of these bytes that can stand in an address (base64url without padding)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unspelled(text: str, most: int) -> bytes:
    """Read back what ``spelled`` wrote at a text's start. What follows is not read: programs that
    find links in a text take a full stop or a bracket along. **Refuses** other texts, and longer
    ones (ValueError).
    """
    if len(text) > most:
        raise ValueError("the text is too long")
    text = _SPELLED.match(text)[0]  # type: ignore[index]  # it matches any text
    padded = text.encode("ascii", "replace") + b"=" * (-len(text) % 4)
    try:
        raw = base64.b64decode(padded, b"-_", validate=True)
    except binascii.Error as bad:
        raise ValueError("the text is not base64") from bad
    # Base64 has several spellings of one value; only the one that we write is accepted.
    if spelled(raw) != text:
        raise ValueError("the text has another spelling")
    return raw


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
