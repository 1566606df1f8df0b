"""Rows of table rates."""

from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.rates import DatedRate
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Row
from handbill.store.records.tables import rates

HOUSE = 0
_t = rates.c
_KEY = ("agency_no", "day_on", "source", "target")
_TOLD = (_t.day_on, _t.source, _t.target, _t.picos, _t.agency_no, _t.set_at)
_SEEN = sa.or_(_t.agency_no == b("agency_no"), _t.agency_no == sa.literal_column(f"{HOUSE}"))
_WITHIN = sa.select(*_TOLD[:5]).where(_SEEN, _t.day_on >= b("first"), _t.day_on <= b("last"))
_LATEST = (_t.day_on.desc(), _t.source, _t.target, _t.agency_no.desc())
_PAGE = (
    sa.select(*_TOLD)
    .where(_SEEN)
    .order_by(*_LATEST)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_COUNT = sa.select(sa.func.count()).select_from(rates).where(_SEEN)
_OWN = sa.select(sa.func.count()).select_from(rates).where(_t.agency_no == b("agency_no"))
_SET = sa.select(*_TOLD[:4]).where(
    _t.agency_no == b("agency_no"), _t.day_on >= b("first"), _t.day_on <= b("last")
)
_NAMING: sa.Select[Any] = (
    sa.select(sa.literal_column("1"))
    .where(_SEEN, sa.or_(_t.source == b("currency"), _t.target == b("currency")))
    .limit(sa.literal_column("1"))
)
_DROP = sa.delete(rates).where(*(_t[name] == b(name) for name in _KEY))


def _dated(row: Row) -> DatedRate:
    day_on, source, target, picos, agency_no = row[:5]
    return DatedRate(date.fromisoformat(day_on), source, target, picos, agency_no != HOUSE)


def within(tx: Tx, agency_no: int, first: date, last: date) -> list[DatedRate]:
    """An agency's own rates and the house's, of these days."""
    asked = {"agency_no": agency_no, "first": first.isoformat(), "last": last.isoformat()}
    return [_dated(row) for row in tx.all(_WITHIN, **asked)]


def is_named(tx: Tx, agency_no: int, currency: str) -> bool:
    """Whether there is any rate of a currency that an agency sees."""
    return bool(tx.all(_NAMING, agency_no=agency_no, currency=currency))


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[tuple[DatedRate, Instant]]:
    rows = tx.all(_PAGE, agency_no=agency_no, skip=skip, limit=limit)
    return [(_dated(row), row[5]) for row in rows]


def count(tx: Tx, agency_no: int) -> int:
    """How many an agency sees: its own, and the house's."""
    return int(tx.value(_COUNT, agency_no=agency_no))


def count_own(tx: Tx, agency_no: int) -> int:
    return int(tx.value(_OWN, agency_no=agency_no))


def own(tx: Tx, agency_no: int, first: date, last: date) -> dict[tuple[date, str, str], int]:
    """Only the rates that an agency, or the house, has set: their picos, by day and pair."""
    asked = {"agency_no": agency_no, "first": first.isoformat(), "last": last.isoformat()}
    return {
        (date.fromisoformat(day_on), source, target): picos
        for day_on, source, target, picos in tx.all(_SET, **asked)
    }


def put(tx: Tx, agency_no: int, every: Iterable[DatedRate], now: Instant) -> None:
    """Set rates; each replaces the former one of its pair and day."""
    rows: list[dict[str, Any]] = [
        _key(agency_no, one) | {"picos": one.picos, "set_at": now} for one in every
    ]
    tx.upsert_many(rates, list(_KEY), rows)


def drop(tx: Tx, agency_no: int, one: DatedRate) -> None:
    tx.run(_DROP, **_key(agency_no, one))


def _key(agency_no: int, one: DatedRate) -> dict[str, Any]:
    place = (agency_no, one.on.isoformat(), one.source, one.target)
    return dict(zip(_KEY, place, strict=True))
