"""Handbill's own keys: what signs tokens, links, click ids and digests of API keys.

A key has a name and a number (kid); the newest of a name signs, every one of it verifies.
"""

import sqlalchemy as sa
from joserfc.jwk import RSAKey
from sqlalchemy import bindparam as b

from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.store import installation
from handbill.store.records import Tx
from handbill.store.records.tables import secrets

_BYTES = 32
_RSA_BITS = 2048
RANDOM = ("listing", "apikey", "link")
"""listing: tokens of links and click ids; apikey: digests of API keys; link: report links."""
SIGNING = "jwt"
_t = secrets.c
_BY_NAME = sa.select(_t.kid, _t.value).where(_t.name == b("name")).order_by(_t.kid)
_NAMES = sa.select(_t.name)


def ensure_secrets(tx: Tx, ids: Ids, now: Instant) -> None:
    """Make the first key of each name that has none, and name the installation whose keys they
    are. Safe to call at every start, by many.
    """
    present = {name for (name,) in tx.all(_NAMES)}
    rows = [
        {"name": name, "kid": 1, "value": ids.bytes(_BYTES), "created_at": now}
        for name in RANDOM
        if name not in present
    ]
    if SIGNING not in present:
        # The library draws primes from the operating system: an RSA key cannot come from `ids`.
        pem = RSAKey.generate_key(_RSA_BITS).as_pem(private=True)
        rows.append({"name": SIGNING, "kid": 1, "value": pem, "created_at": now})
    tx.upsert_many(secrets, ["name", "kid"], rows, keep=True)
    installation.ensure(tx, ids, now)


def has(tx: Tx, name: str) -> bool:
    """Whether there is a key of that name."""
    return bool(tx.all(_BY_NAME, name=name))


def secret(tx: Tx, name: str) -> dict[int, bytes]:
    """Every key of a name by kid, the newest last. **Refuses** an unknown name (LookupError)."""
    found = {int(kid): bytes(value) for kid, value in tx.all(_BY_NAME, name=name)}
    if not found:
        raise LookupError(f"there is no key named {name}: ensure_secrets has not run")
    return found
