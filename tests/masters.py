"""The master key of tests, and our own keys put under it."""

from handbill.access import keys
from handbill.host.masters import Masters
from handbill.host.settings import Settings
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.index import key_place
from handbill.store.records import Tx

MASTER_KEY = "bWFzdGVyIGtleSBvZiB0ZXN0cywgMzIgYnl0ZXMgLi4="
MASTERS = Masters(Settings(secrets_key=MASTER_KEY))


def open_key(kid: int, kept: bytes) -> bytes:
    """What an edge's index is opened with that gives keys."""
    return MASTERS.opened(kept, *key_place(kid))


def kept_key(kid: int, key: bytes) -> bytes:
    """A key of links as records and index keep it."""
    return MASTERS.seal(MASTERS.newest(), key, *key_place(kid))


def put_key(tx: Tx, name: str, value: bytes, at: Instant) -> None:
    """One of our own keys, as number 1."""
    sealed.ensure(tx, at)
    keys.add(tx, name, 1, value, at)
