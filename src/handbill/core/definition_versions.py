"""Versions of click definitions: all that clicks are classed by at a publisher, and its name.

Equal rules have equal names, whoever set them and when; so an entry says what it was classed by.
**Source**: docs/decisions/0059.
"""

import hashlib
from typing import Final

import msgspec

from handbill.core.click_definitions import Definition
from handbill.kit.instants import Instant

_BYTES: Final = 8


class DefinitionInForce(msgspec.Struct, frozen=True):
    """``rules``: those of the definition in force, or the installation's. ``grace``, ``stale``: how
    long a listing that has left a feed, or has another price there, is good if the rules do not
    say. ``agents``: the version of the lists of programs; ``addresses``: of the definition's own
    list, empty if there is none.
    """

    rules: Definition
    grace: Instant
    stale: Instant
    agents: str
    addresses: str = ""

    def encoded(self) -> bytes:
        return msgspec.json.encode(self)


def version_of(body: bytes) -> str:
    """The name of the encoded content. **Shape**: 16 hex digits."""
    return hashlib.blake2b(body, digest_size=_BYTES).hexdigest()


def in_force_of(body: bytes) -> DefinitionInForce:
    return msgspec.json.decode(body, type=DefinitionInForce)
