"""Jobs in brief, from rows of table jobs: one by one, in an order."""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import NOW, delisted, jobs

_t = jobs.c
JobOrder = Literal["ADDED", "TITLE"]
"""Oldest first; or by title, in small letters."""
_LOW = sa.func.lower(_t.title)
_LINE = (
    sa.select(
        _t.no,
        _t.id,
        _t.ref,
        _t.title,
        _t.company,
        _t.city,
        _t.state,
        _t.country,
        _t.status,
        _t.valid,
        _t.end_at,
    )
    .where(_t.client_no == b("client_no"), NOW.left_at.is_(None))
    .limit(b("most", type_=sa.Integer))
)
_DELISTED = sa.exists().where(delisted.c.client_no == b("client_no"), delisted.c.job_no == _t.no)
_NEVER_DELISTED = _LINE.where(~_DELISTED)
_Both = tuple[sa.Select[Any], sa.Select[Any]]


def _in_order(some: sa.Select[Any]) -> dict[JobOrder, _Both]:
    """From the first job on, and from behind one on."""
    behind = some.where(sa.tuple_(_LOW, _t.no) > sa.tuple_(b("low"), b("no")))
    return {
        "ADDED": (some.order_by(_t.no), some.where(_t.no > b("no")).order_by(_t.no)),
        "TITLE": (some.order_by(_LOW, _t.no), behind.order_by(_LOW, _t.no)),
    }


_IN_ORDER = {False: _in_order(_LINE), True: _in_order(_NEVER_DELISTED)}
_PLACE_OF = sa.select(_t.no, _LOW).where(_t.id == b("id"), _t.client_no == b("client_no"))


class JobLine(NamedTuple):
    """A job in brief."""

    no: int
    id: str
    ref: str
    title: str
    company: str
    city: str
    state: str
    country: str
    status: str
    valid: bool
    end_at: Instant | None

    def expired(self, now: Instant) -> bool:
        """Whether its end has come."""
        return self.end_at is not None and self.end_at <= now


def place_of(tx: Tx, client_no: int, id_: str) -> tuple[int, str] | None:
    """Number and title of a job, by which ``lines`` goes on; also of one that has left."""
    row = tx.one(_PLACE_OF, client_no=client_no, id=id_)
    return None if row is None else (row[0], row[1])


def lines(
    tx: Tx,
    client_no: int,
    order: JobOrder,
    last: tuple[int, str] | None,
    most: int,
    *,
    never_delisted: bool,
) -> Iterator[JobLine]:
    """``most``: no more are read, so that no more than these are sorted."""
    first, on = _IN_ORDER[never_delisted][order]
    if last is None:
        rows = tx.stream(first, client_no=client_no, most=most)
    else:
        low = {"low": last[1]} if order == "TITLE" else {}
        rows = tx.stream(on, client_no=client_no, no=last[0], most=most, **low)
    return (JobLine(*row) for row in rows)
