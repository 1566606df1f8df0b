"""The one source of randomness: ids, keys and names that cannot be guessed."""

import os
import random
import string
import uuid
from typing import Protocol

_SLUG = (string.ascii_lowercase + string.digits).encode()
_SLUG_OF = bytes(_SLUG[byte % 36] for byte in range(256))


class Ids(Protocol):
    def bytes(self, count: int) -> bytes: ...


class SystemIds:
    """Randomness from the operating system."""

    def bytes(self, count: int) -> bytes:
        return os.urandom(count)


Chance = random.Random


def seeded(seed: int | str) -> Chance:
    """The same random numbers in the same order for one seed."""
    return Chance(seed)


class SeededIds:
    """The same ids in the same order for one seed: for tests, demos and simulations."""

    def __init__(self, seed: int) -> None:
        self._random = seeded(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


def new_uuid(ids: Ids) -> str:
    """A version 4 UUID."""
    return str(uuid.UUID(bytes=ids.bytes(16), version=4))


def new_name(ids: Ids, length: int = 26) -> str:
    """Lowercase letters and digits; 26 of them carry 134 bits."""
    return ids.bytes(length).translate(_SLUG_OF).decode()


def new_api_client_id(ids: Ids) -> str:
    """25 lowercase letters and digits (contract 3, ids)."""
    return new_name(ids, 25)


def new_family_id(ids: Ids) -> str:
    """24 hex digits (contract 3, ids)."""
    return ids.bytes(12).hex()


def new_person_id(ids: Ids) -> str:
    """24 hex digits."""
    return ids.bytes(12).hex()
