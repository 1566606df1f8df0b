"""Rotation of our own keys: a new one signs, the former ones verify until they are retired."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.access import keys, telling
from handbill.changes import service as changes
from handbill.core.trail import TrailEntity
from handbill.host.ids import Ids
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import DAY, Instant, iso_of
from handbill.store.records import Tx
from handbill.store.records.tables import api_keys, secrets

MASTER = "master"
OVERLAPS = {
    "jwt": 7 * DAY,  # the longest lifetime of a token
    "listing": 120 * DAY,  # as long as conversions find their clicks
    "apikey": 0,  # until the last API key under it is gone, which is checked
    "link": 60 * DAY,  # people end mails by links in them; reports are kept for 7 days
    "visitor": DAY,  # the judge has restarted by then
    "session": 30 * DAY,  # the longest session
}
_OVERLAP_OF_CALLBACKS = 7 * DAY
_MOST_KID = 255
_t = secrets.c
_ALL = sa.select(_t.name, _t.kid, _t.created_at).order_by(_t.name, _t.kid)
_DROP = sa.delete(secrets).where(_t.name == b("name"), _t.kid == b("kid"))
_DIGESTS = sa.select(api_keys.c.digest).where(
    api_keys.c.revoked_at.is_(None),
    sa.or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > b("now")),
)


class OwnKey(NamedTuple):
    """``retire_at``: when its time of overlap ends; None: it signs."""

    name: str
    kid: int
    created_at: Instant
    retire_at: Instant | None


def every(tx: Tx) -> list[OwnKey]:
    """All of them by name, each name's oldest first; never their values."""
    rows = [(str(name), int(kid), int(at)) for name, kid, at in tx.all(_ALL)]
    own_keys = []
    for row, following in zip(rows, [*rows[1:], None], strict=True):
        newer = following if following is not None and following[0] == row[0] else None
        ends = None if newer is None else newer[2] + _overlap(row[0])
        own_keys.append(OwnKey(*row, ends))
    return own_keys


def rotate(tx: Tx, ids: Ids, now: Instant, name: str) -> int:
    """Create a key that signs from now on; its number. **Refuses** a name without a key (404), and
    the 256th of a name (400).
    """
    held = [own for own in every(tx) if own.name == name]
    if not held:
        raise not_found()
    kid = held[-1].kid + 1
    if kid > _MOST_KID:
        raise refused_state("", f"there were {_MOST_KID} keys of that name: no further number fits")
    keys.add(tx, name, kid, keys.new_value(ids, name), now)
    telling.event(tx, now, "own_key_rotated", f"{name}/{kid}", key=name, kid=str(kid))
    return kid


def retire(tx: Tx, now: Instant, name: str, kid: int, *, at_once: bool) -> None:
    """Delete a key that no longer signs: what it has signed is invalid from then on.

    **Refuses** an unknown key (404); and (400) the one that signs, one under which API keys live,
    and one whose time of overlap is not over, unless ``at_once``.
    """
    own = next((one for one in every(tx) if (one.name, one.kid) == (name, kid)), None)
    if own is None:
        raise not_found()
    if own.retire_at is None:
        raise refused_state("", "it is the current key; rotate first")
    if now < own.retire_at and not at_once:
        raise refused_state(
            "", f"what it signed may be valid until {iso_of(own.retire_at)}; --now ends it at once"
        )
    living = sum(bytes(digest)[0] == kid for (digest,) in tx.all(_DIGESTS, now=now))
    if name == "apikey" and living:
        raise refused_state("", f"{living} API keys depend on it; rotate or revoke them first")
    tx.run(_DROP, name=name, kid=kid)
    changes.tell(tx, now, keys.entity_of(name, kid), {"name": name, "kid": kid}, {})
    telling.event(tx, now, "own_key_retired", f"{name}/{kid}", key=name, kid=str(kid))


def tell_master(tx: Tx, now: Instant, name: str, *, is_gone: bool = False) -> None:
    """Record that a master key seals from now on, or is gone; it has no row of its own."""
    entity, state = TrailEntity("OWN_KEY", f"{MASTER}/{name}"), {"name": MASTER}
    changes.tell(tx, now, entity, *((state, {}) if is_gone else ({}, state)))
    event = "own_key_retired" if is_gone else "own_key_rotated"
    telling.event(tx, now, event, f"{MASTER}/{name}", key=MASTER, kid=name)


def _overlap(name: str) -> int:
    return OVERLAPS.get(name, _OVERLAP_OF_CALLBACKS)
