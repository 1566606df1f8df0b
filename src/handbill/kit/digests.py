"""Digests of values that are stored, and compared by later releases too."""

from hashlib import blake2b
from typing import Any

import msgspec

_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def digest_of(*made_from: Any) -> bytes:
    """16 bytes that identify plain values, the same in every process and release of Python."""
    return blake2b(_ENCODER.encode(made_from), digest_size=16).digest()
