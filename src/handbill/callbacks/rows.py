"""Rows of table callbacks, and the keys that sign them."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.access import keys
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, sweep_of
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import callbacks

WAITING = "WAITING"
SENDING = "SENDING"
DELIVERED = "DELIVERED"
DISABLED = "DISABLED"
DEAD = "DEAD"


class Callback(msgspec.Struct, frozen=True, kw_only=True):
    no: int
    id: str
    agency_no: int
    subject: str
    url: str
    body: str | None
    state: str
    attempts: int
    status: int | None
    failure: str | None
    created_at: Instant
    ended_at: Instant | None


_t = callbacks.c
_CALLBACKS = Mapper(callbacks, Callback)
_BY_ID = _CALLBACKS.ever("id")
_OF_AGENCY = _CALLBACKS.ever("agency_no", order=_t.no.desc())
_OWN = _CALLBACKS.ever("agency_no", "id")
_ABOUT = _CALLBACKS.ever("subject")
_GIVEN_UP = _CALLBACKS.ever("agency_no", among(_t.state, "states"), order=_t.no.desc())
_OPEN = (
    sa.select(_t.id)
    .where(_t.state == b("state"))
    .order_by(_t.no)
    .limit(b("most", type_=sa.Integer))
)
_SWEEP = sweep_of(callbacks, _t.created_at, _t.state != b("sending"))


def by_id(tx: Tx, callback_id: str) -> Callback | None:
    return _BY_ID.first(tx, id=callback_id)


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Callback], int]:
    """Those of an agency, newest first, and how many are kept."""
    some = _OF_AGENCY.page(tx, skip, limit, agency_no=agency_no)
    return some, _OF_AGENCY.count(tx, agency_no=agency_no)


def hold(tx: Tx, agency_no: int, callback_id: str) -> Callback | None:
    """An agency's own; locked until the transaction ends."""
    return _OWN.hold(tx, agency_no=agency_no, id=callback_id)


def about(tx: Tx, subject: str) -> Callback | None:
    return _ABOUT.first(tx, subject=subject)


def in_states(tx: Tx, agency_no: int, states: Iterable[str], most: int) -> list[Callback]:
    """Those of an agency, newest first."""
    return _GIVEN_UP.page(tx, 0, most, agency_no=agency_no, states=Listed(states))


def open_ones(tx: Tx, most: int) -> list[str]:
    """Ids of those that are being sent, oldest first."""
    return [id_ for (id_,) in tx.all(_OPEN, state=SENDING, most=most)]


def add(tx: Tx, **columns: Any) -> None:
    tx.put(callbacks, state=WAITING, attempts=0, **columns)


def change(tx: Tx, no: int, **columns: Any) -> None:
    tx.change(callbacks, {"no": no}, **columns)


def sweep(tx: Tx, before: Instant, most: int) -> int:
    return tx.run(_SWEEP, before=before, most=most, sending=SENDING)


def signing_keys(tx: Tx, agency_no: int) -> list[bytes]:
    """The agency's secrets, the oldest first."""
    return list(keys.maybe_secret(tx, signing_name(agency_no)).values())


def add_signing_key(tx: Tx, agency_no: int, value: bytes, now: Instant) -> None:
    """Add the agency's first secret; one that is there already stays."""
    keys.add(tx, signing_name(agency_no), 1, value, now)


def signing_name(agency_no: int) -> str:
    """The name of the agency's keys."""
    return f"callback:{agency_no}"
