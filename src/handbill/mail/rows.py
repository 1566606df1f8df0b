"""Rows of mails, and of the bodies of those that are not sent yet."""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among, sweep_of
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import mail_bodies, mails

SENDING = "SENDING"
SENT = "SENT"
DEAD = "DEAD"
DROPPED = "DROPPED"


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """``about``: what caused it. ``failure``: of the last try, in words."""

    no: int
    id: str
    agency_no: int | None
    person_no: int
    kind: str
    about: str
    recipient: str
    state: str
    attempts: int
    failure: str | None
    created_at: Instant
    ended_at: Instant | None


_m, _b = mails.c, mail_bodies.c
_MAILS = Mapper(mails, Mail)
_BY_ID = _MAILS.ever("id")
_OPEN_OF = _MAILS.ever("person_no", "state")
_LAST = _MAILS.ever(
    _m.no.in_(
        sa.select(sa.func.max(_m.no))
        .where(among(_m.person_no, "person_nos"), _m.kind == b("kind"))
        .group_by(_m.person_no)
    )
)
_IN_STATE = (
    sa.select(*_MAILS.columns)
    .where(_m.state == b("state"))
    .order_by(_m.no.desc())
    .limit(b("most", type_=sa.Integer))
)
_COUNTS = sa.select(_m.state, sa.func.count()).group_by(_m.state)
_BODY = sa.select(_b.value).where(_b.mail_no == b("mail_no"))
_DROP_BODY = sa.delete(mail_bodies).where(_b.mail_no == b("mail_no"))
_END_OPEN = (
    sa.update(mails)
    .where(_m.state == b("former"))
    .values(state=b("state"), failure=b("failure"), ended_at=b("now"))
)
_DROP_BODIES = sa.delete(mail_bodies)
_SWEEP_BODIES = sa.delete(mail_bodies).where(
    _b.mail_no.in_(sa.select(_m.no).where(_m.created_at < b("before")))
)
_SWEEP = sweep_of(mails, _m.created_at)


def by_id(tx: Tx, mail_id: str) -> Mail | None:
    return _BY_ID.first(tx, id=mail_id)


def held(tx: Tx, mail: Mail) -> Mail | None:
    """The mail as it is now, locked."""
    return _BY_ID.hold(tx, id=mail.id)


def open_of(tx: Tx, person_no: int) -> list[Mail]:
    """A person's mails that are not sent yet."""
    return _OPEN_OF.all(tx, person_no=person_no, state=SENDING)


def last_of(tx: Tx, person_nos: Iterable[int], kind: str) -> dict[int, Mail]:
    """The latest mail of a kind to each of these people, by their numbers."""
    latest = _LAST.all(tx, person_nos=Listed(person_nos), kind=kind)
    return {one.person_no: one for one in latest}


def in_state(tx: Tx, state: str, most: int) -> list[Mail]:
    """Some mails in a state, the newest first."""
    return [_MAILS.read(row) for row in tx.all(_IN_STATE, state=state, most=most)]


def counts(tx: Tx) -> dict[str, int]:
    """How many mails there are by state."""
    return {str(state): int(count) for state, count in tx.all(_COUNTS)}


def add(tx: Tx, body: bytes, **columns: Any) -> None:
    no = tx.put(mails, state=SENDING, attempts=0, **columns)
    row: dict[str, object] = {"mail_no": no}
    tx.put(mail_bodies, mail_no=no, value=sealed.seal(tx, mail_bodies, row, body))


def body_of(tx: Tx, mail: Mail) -> bytes:
    """The message of a mail that is not sent yet."""
    return sealed.opened(tx, mail_bodies, {"mail_no": mail.no}, tx.value(_BODY, mail_no=mail.no))


def change(tx: Tx, no: int, **columns: Any) -> None:
    tx.change(mails, {"no": no}, **columns)


def end_open(tx: Tx, failure: str, now: Instant) -> None:
    """Drop all mails that are not sent yet: only those have bodies."""
    tx.run(_END_OPEN, former=SENDING, state=DROPPED, failure=failure, now=now)
    tx.run(_DROP_BODIES)


def drop_body(tx: Tx, no: int) -> None:
    tx.run(_DROP_BODY, mail_no=no)


def sweep(tx: Tx, before: Instant, most: int) -> int:
    tx.run(_SWEEP_BODIES, before=before)
    return tx.run(_SWEEP, before=before, most=most)
