"""Handbill's own keys, which sign tokens, links, click ids, callbacks and digests of API keys.

A key has a name and a number (kid); the newest of a name signs, every one of it verifies. They are
sealed under the master key.
"""

import hashlib

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids
from handbill.kit.instants import Instant
from handbill.store import installation, sealed
from handbill.store.records import Tx
from handbill.store.records.tables import secrets

_BYTES = 32
_RSA_BITS = 2048
RANDOM = ("listing", "apikey", "link", "visitor", "session")
"""listing: tokens of links and click ids; apikey: digests of API keys; link: links to reports, and
those that end mails; visitor: by which the judge recognises a visitor; session: digests of people's
sessions and invitations."""
SIGNING = "jwt"
CALLBACK = "callback:"
"""The beginning of the names of agencies' keys for callbacks; the agency's number follows."""
_t = secrets.c
_BY_NAME = sa.select(_t.kid, _t.value).where(_t.name == b("name")).order_by(_t.kid)
_NAMES = sa.select(_t.name)


def ensure_secrets(tx: Tx, ids: Ids, now: Instant) -> None:
    """Create the first key of each name that has none, and name the installation that they belong
    to. Safe to call at every start, by many processes.
    """
    sealed.ensure(tx, now)
    present = {name for (name,) in tx.all(_NAMES)}
    for name in (*RANDOM, SIGNING):
        if name not in present:
            add(tx, name, 1, new_value(ids, name), now)
    installation.ensure(tx, ids, now)


def new_value(ids: Ids, name: str) -> bytes:
    """A value for a new key of this name."""
    if name == SIGNING:
        # The library takes primes from the operating system: an RSA key cannot come from `ids`.
        from joserfc.jwk import RSAKey

        return RSAKey.generate_key(_RSA_BITS).as_pem(private=True)
    return ids.bytes(_BYTES)


def add(tx: Tx, name: str, kid: int, value: bytes, now: Instant) -> None:
    """Store a key, sealed; one of that number that is there already stays."""
    if kid in sealed_ones(tx, name):
        return
    row = {"name": name, "kid": kid}
    kept = sealed.seal(tx, secrets, row, value)
    tx.upsert_many(secrets, ["name", "kid"], [row | {"value": kept, "created_at": now}], keep=True)
    changes.tell(tx, now, entity_of(name, kid), {}, row)


def entity_of(name: str, kid: int) -> TrailEntity:
    """The entity of a key in changes: an agency's, if it signs that agency's callbacks."""
    agency = name.removeprefix(CALLBACK)
    return TrailEntity("OWN_KEY", f"{name}/{kid}", None if agency == name else int(agency))


def has(tx: Tx, name: str) -> bool:
    """Whether there is a key of that name."""
    return bool(tx.all(_BY_NAME, name=name))


def sealed_ones(tx: Tx, name: str) -> dict[int, bytes]:
    """Every key of a name by kid, still sealed, for the edge's index."""
    return {int(kid): bytes(value) for kid, value in tx.all(_BY_NAME, name=name)}


def secret(tx: Tx, name: str) -> dict[int, bytes]:
    """Every key of a name by kid, the newest last. **Refuses** an unknown name (LookupError)."""
    keys = maybe_secret(tx, name)
    if not keys:
        raise LookupError(f"there is no key named {name}: ensure_secrets has not run")
    return keys


def maybe_secret(tx: Tx, name: str) -> dict[int, bytes]:
    """``secret``; empty for a name that has no key yet."""
    kept = sealed_ones(tx, name)
    return {
        kid: sealed.opened(tx, secrets, {"name": name, "kid": kid}, value)
        for kid, value in kept.items()
    }


def digested(key: bytes, prefix: str, secret_part: str) -> bytes:
    """The digest by which a secret of 200 bits is stored, and proved: fast, and keyed."""
    text = f"{prefix}.{secret_part}".encode()
    return hashlib.blake2b(text, key=key, digest_size=32).digest()
