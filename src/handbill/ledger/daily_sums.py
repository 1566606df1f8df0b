"""The sums of each client's entries by day: in total, and at each place. The judge adds to them in
the transaction that books the entries.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import tzinfo
from functools import cache
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.daily import PlaceDay, come_to
from handbill.core.entries import Entry
from handbill.core.metrics import RAW
from handbill.kit.instants import DAY, Instant, moment_of
from handbill.kit.money import MICROS
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.booked import SUMS
from handbill.store.records.tables import client_days, place_days, retired_days

KEPT: Final = 400 * DAY
_BY: Final = {"campaign": "campaign_no", "jobgroup": "group_no", "publisher": "publisher_no"}
_c = client_days.c
_p = place_days.c
_OF_CLIENT: Final = ("client_no", "day_on")
_AMOUNTS_AT: Final = [at for at, raw in enumerate(RAW) if raw.amount][::-1]
"""The last first: each becomes two columns."""
_OF_PLACES = sa.and_(_p.client_no == b("client_no"), _p.day_on >= b("first_on"))
_SUMMED = [sa.cast(sa.func.sum(_p[one]), sa.BigInteger) for one in SUMS]
EVERY: Final = frozenset(raw.name for raw in RAW)
"""The names of all raw sums."""
_PLACES = {
    by: sa.select(_p[name], _p.day_on, *_SUMMED)
    .where(_OF_PLACES, among(_p[name], "nos"))
    .group_by(_p[name], _p.day_on)
    for by, name in _BY.items()
}
_OF_PUBLISHERS = (
    sa.select(_p.publisher_no, _p.day_on, *_SUMMED)
    .where(among(_p.publisher_no, "nos"), _p.day_on >= b("first_on"))
    .group_by(_p.publisher_no, _p.day_on)
)
_BY_DAY = [
    sa.select(
        table.c.client_no,
        table.c.day_on,
        *(sa.cast(sa.func.sum(table.c[one]), sa.BigInteger) for one in SUMS),
    )
    .where(among(table.c.client_no, "client_nos"), table.c.day_on >= b("first_on"))
    .group_by(table.c.client_no, table.c.day_on)
    for table in (place_days, retired_days)
]
_LAST_LEFT = sa.select(sa.func.max(retired_days.c.day_on)).where(
    retired_days.c.client_no == b("client_no")
)
_FORGET = [
    sa.delete(table).where(
        sa.tuple_(*table.primary_key.columns).in_(
            sa.select(*table.primary_key.columns)
            .where(table.c.day_on < b("before"))
            .limit(b("most", type_=sa.Integer))
        )
    )
    for table in (client_days, place_days, retired_days)
]
Days = dict[int, dict[str, list[int]]]
"""By number: by day, the raw sums in the order of RAW."""


class DayRows(NamedTuple):
    """Rows of sums: of clients, and of places."""

    whole: list[Row]
    places: list[Row]


NO_SUMS: Final = DayRows([], [])


def rows_of(booked: Iterable[tuple[tzinfo, Iterable[Entry]]]) -> DayRows:
    """The sums of clients' entries, each with the zone of its days."""
    whole: dict[tuple[int, str], list[int]] = {}
    places: dict[PlaceDay, list[int]] = {}
    for zone, entries in booked:
        for place, sums in come_to(entries, zone).items():
            places[place] = sums
            former = whole.setdefault(place[:2], [0] * len(RAW))
            former[:] = map(int.__add__, former, sums)
    return DayRows(_rows(whole), _rows(places))


def add(tx: Tx, rows: DayRows) -> None:
    """Add sums to those of their days."""
    _add(tx, client_days, _OF_CLIENT, rows.whole)
    _add(tx, place_days, PlaceDay._fields, rows.places)


def retire(tx: Tx, sums: Mapping[tuple[int, str], Sequence[int]]) -> None:
    """Keep the sums of entries that leave the ledger, by client and day."""
    _add(tx, retired_days, _OF_CLIENT, _rows(sums))


def _rows(sums: Mapping[Any, Sequence[int]]) -> list[Row]:
    """``sums``: by the values of the keys, in whose order the rows are."""
    return [(*key, *_columns(own)) for key, own in sorted(sums.items())]


def _add(tx: Tx, table: sa.Table, keys: tuple[str, ...], rows: Sequence[Row]) -> None:
    tx.upsert_rows(table, (*keys, *SUMS), keys, rows, adds=SUMS)


class _Reading(NamedTuple):
    """Some raw sums of table client_days. ``places``: of each, its place in RAW, that of its column
    among these, and whether the next column is its micros.
    """

    columns: Sequence[sa.Column[Any]]
    places: Sequence[tuple[int, int, bool]]

    def sums(self, row: Sequence[Any]) -> list[int]:
        """The raw sums in the order of RAW; those that are not read are 0."""
        sums = [0] * len(RAW)
        for place, at, is_amount in self.places:
            sums[place] = row[at] * MICROS + row[at + 1] if is_amount else row[at]
        return sums


@cache
def _reading(wanted: frozenset[str]) -> _Reading:
    columns: list[sa.Column[Any]] = []
    places, names = [], iter(SUMS)
    for place, raw in enumerate(RAW):
        its = [_c[next(names)] for _ in range(2 if raw.amount else 1)]
        if raw.name in wanted:
            places.append((place, len(columns), bool(raw.amount)))
            columns += its
    return _Reading(columns, places)


@cache
def _clients(wanted: frozenset[str]) -> sa.Select[Any]:
    columns: list[sa.Column[Any]] = [*_reading(wanted).columns, _c.client_no, _c.day_on]
    return sa.select(*columns).where(among(_c.client_no, "client_nos"), _c.day_on >= b("first_on"))


@cache
def _total(wanted: frozenset[str]) -> sa.Select[Any]:
    none: sa.ColumnElement[int] = sa.literal_column("0")
    sums: list[sa.ColumnElement[Any]] = [
        sa.cast(sa.func.coalesce(sa.func.sum(it), none), sa.BigInteger)
        for it in _reading(wanted).columns
    ]
    return sa.select(*sums).where(
        among(_c.client_no, "client_nos"), _c.day_on >= b("first_on"), _c.day_on <= b("last_on")
    )


def of_clients(
    tx: Tx, client_nos: Collection[int], first_on: str, wanted: frozenset[str] = EVERY
) -> Days:
    """The sums of each client's entries on each day from the first on. ``wanted``: the names of the
    raw sums that are read; all others are 0.
    """
    reading, days = _reading(wanted), Days()
    nos = Listed(sorted(client_nos))
    for row in tx.all(_clients(wanted), client_nos=nos, first_on=first_on):
        days.setdefault(row[-2], {})[row[-1]] = reading.sums(row)
    return days


def total(
    tx: Tx, client_nos: Collection[int], first_on: str, last_on: str, wanted: frozenset[str]
) -> Sequence[int]:
    """The total of all their entries from the first day to the last. ``wanted``: as above."""
    nos = Listed(sorted(client_nos))
    (row,) = tx.all(_total(wanted), client_nos=nos, first_on=first_on, last_on=last_on)
    return _reading(wanted).sums(row)


def totals(
    tx: Tx, client_no: int, by: str, wanted: Collection[str], first_on: str
) -> dict[int, list[int]]:
    """What a client's entries since a day come to, by campaign, job group or publisher. Only these
    raw sums are added up; all others are 0.
    """
    rows = tx.all(_totals(by, frozenset(wanted)), client_no=client_no, first_on=first_on)
    return {no: _joined(columns) for no, *columns in rows}


@cache
def _totals(by: str, wanted: frozenset[str]) -> sa.Select[Any]:
    zero: sa.ColumnElement[int] = sa.literal_column("0")
    of_raw = [raw.name for raw in RAW for _ in (range(2) if raw.amount else range(1))]
    some = [it if name in wanted else zero for name, it in zip(of_raw, _SUMMED, strict=True)]
    return sa.select(_p[_BY[by]], *some).where(_OF_PLACES).group_by(_p[_BY[by]])


def by_place(tx: Tx, client_no: int, by: str, nos: Collection[int], first_on: str) -> Days:
    """The same of some of them on each day."""
    listed = Listed(sorted(nos))
    return _days(tx.all(_PLACES[by], client_no=client_no, first_on=first_on, nos=listed))


def at_places(
    tx: Tx,
    client_no: int,
    days: tuple[str, str],
    by: Sequence[str],
    only: Mapping[str, Collection[int]],
    most: int,
) -> list[list[int]]:
    """What a client's entries come to from the first of these days to the last, by client,
    campaign, job group or publisher, or by several of them: their numbers, then the raw sums, in
    the order of the numbers. ``only``: these campaigns, job groups or publishers. ``most``: so
    many rows, those after them are left out.
    """
    asked: dict[str, Any] = {f"only_{name}": Listed(sorted(nos)) for name, nos in only.items()}
    asked |= {"client_no": client_no, "first_on": days[0], "last_on": days[1], "most": most}
    rows = tx.all(_at_places(tuple(by), tuple(sorted(only))), **asked)
    return [[*row[: len(by)], *_joined(row[len(by) :])] for row in rows]


@cache
def _at_places(by: tuple[str, ...], only: tuple[str, ...]) -> sa.Select[Any]:
    keys: list[sa.ColumnElement[Any]] = [_p[_BY.get(one, "client_no")] for one in by]
    return (
        sa.select(*keys, *_SUMMED)
        .where(
            _OF_PLACES,
            _p.day_on <= b("last_on"),
            *(among(_p[_BY[name]], f"only_{name}") for name in only),
        )
        .group_by(*keys)
        .order_by(*keys)
        .limit(b("most", type_=sa.Integer))
    )


def last_left(tx: Tx, client_no: int) -> str | None:
    """The last of a client's days of which entries have left the ledger."""
    day_on: str | None = tx.value(_LAST_LEFT, client_no=client_no)
    return day_on


def of_publishers(tx: Tx, nos: Collection[int], first_on: str) -> Days:
    """The same of publishers, of all clients together; each day in the zone of its client."""
    return _days(tx.all(_OF_PUBLISHERS, nos=Listed(sorted(nos)), first_on=first_on))


def held_against(tx: Tx, client_nos: Collection[int], first_on: str) -> tuple[Days, Days, Days]:
    """For these clients, by day: what is noted in total, at all places, and of what has left."""
    asked = {"client_nos": Listed(sorted(client_nos)), "first_on": first_on}
    places, retired = (_days(tx.all(one, **asked)) for one in _BY_DAY)
    return of_clients(tx, client_nos, first_on), places, retired


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many sums of days that are over in every zone; returns how many."""
    day_on = moment_of(before - DAY).date().isoformat()
    return sum(tx.run(one, before=day_on, most=most) for one in _FORGET)


def _days(rows: Iterable[Sequence[Any]]) -> Days:
    days: Days = {}
    for no, day_on, *columns in rows:
        days.setdefault(no, {})[day_on] = _joined(columns)
    return days


def _columns(sums: Sequence[int]) -> list[int]:
    """Raw sums as columns."""
    columns = list(sums)
    for at in _AMOUNTS_AT:
        columns[at : at + 1] = divmod(columns[at], MICROS)
    assert len(columns) == len(SUMS), "every sum has its columns"
    return columns


def _joined(columns: Sequence[int]) -> list[int]:
    """Columns as raw sums."""
    some = iter(columns)
    sums = [next(some) * MICROS + next(some) if raw.amount else next(some) for raw in RAW]
    assert not list(some), "every column is of a sum"
    return sums
