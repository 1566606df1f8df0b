"""Rows of counters: the use of each measure by an entity on a day, by everything that happened
(``counters``) and by what has since left the ledger (``retired_counters``).

Weeks, months and lifetimes are added up on demand. Closed days are sealed: those of an entity
become one row, so that a lifetime is the sum of a few rows.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.charging import (
    MEASURES,
    CounterKey,
    Measure,
    Scope,
    Uses,
    keyed,
    summed,
    unkeyed,
)
from handbill.core.spending import Used
from handbill.kit.money import MICROS
from handbill.kit.zones import days_of_period
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.booked import USES
from handbill.store.records.tables import counters, retired_counters

_KEYS: Final = ("scope", "entity", "day_on")
_COLUMNS: Final = (*_KEYS, "client_no", *USES)
_OF: Final[Mapping[Measure, Sequence[str]]] = {
    "budget": USES[:2],
    "clicks": USES[2:3],
    "applies": USES[3:],
}
_BOTH = (counters, retired_counters)
_c = counters.c
_WITHIN = sa.and_(_c.day_on >= b("first_on"), _c.day_on <= b("last_on"))
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")
_UNIT: sa.ColumnElement[int] = sa.literal_column(str(MICROS))
_USED = (
    sa.select(_c.entity, *(sa.func.sum(_c[name]) for name in USES))
    .where(_c.scope == b("scope"), among(_c.entity, "entities"), _WITHIN)
    .group_by(_c.entity)
)


def _above(measure: Measure) -> sa.Select[Any]:
    first, *rest = [sa.cast(sa.func.sum(_c[name]), sa.BigInteger) for name in _OF[measure]]
    limit, beyond = b("above", type_=sa.BigInteger), b("beyond", type_=sa.BigInteger)
    is_above = first > limit
    for micros in rest:
        units = first + micros // _UNIT
        is_above = sa.or_(units > limit, sa.and_(units == limit, micros % _UNIT > beyond))
    return (
        sa.select(_c.entity, first, *rest)
        .where(
            _c.scope == b("scope"),
            _c.entity >= b("first"),
            _c.entity < b("end"),
            _WITHIN,
        )
        .group_by(_c.entity)
        .having(is_above)
    )


_ABOVE = {measure: _above(measure) for measure in MEASURES}
_OF_CLIENT, _RETIRED = (
    sa.select(*(table.c[name] for name in (*_KEYS, *USES))).where(
        table.c.client_no == b("client_no")
    )
    for table in _BOTH
)
_OF_SCOPES = _OF_CLIENT.where(among(_c.scope, "scopes"))
_DAYS = {
    measure: sa.select(_c.entity, _c.day_on, *(_c[name] for name in names)).where(
        _c.scope == b("scope"),
        among(_c.entity, "entities"),
        _c.day_on >= b("first_on"),
        _c.day_on < b("end_on"),
        sa.or_(*(_c[name] != _ZERO for name in names)),
    )
    for measure, names in _OF.items()
}


_OF_KEY = [sa.and_(*(table.c[name] == b(f"of_{name}") for name in _KEYS)) for table in _BOTH]
_DROPS = [sa.delete(table).where(of) for table, of in zip(_BOTH, _OF_KEY, strict=True)]
_CLEARS = {
    measure: [
        sa.update(table).where(of).values(dict.fromkeys(names, _ZERO))
        for table, of in zip(_BOTH, _OF_KEY, strict=True)
    ]
    for measure, names in _OF.items()
}
_DROPS_EMPTY = [
    drop.where(*(table.c[name] == _ZERO for name in USES))
    for table, drop in zip(_BOTH, _DROPS, strict=True)
]
_OVER = [
    sa.select(*(table.c[name] for name in _COLUMNS))
    .where(
        sa.tuple_(*(table.c[name] for name in _KEYS)) > sa.tuple_(*map(b, _KEYS)),
        table.c.day_on > b("sealed_on"),
        table.c.day_on < b("before_on"),
    )
    .order_by(*(table.c[name] for name in _KEYS))
    .limit(b("most", type_=sa.Integer))
    for table in _BOTH
]
Place = tuple[str, str, str]
FIRST: Place = ("", "", "")


def counters_used(tx: Tx, keys: Iterable[CounterKey]) -> dict[CounterKey, int]:
    """The use of these counters (and of some neighbours)."""
    used: Used = {}
    for scope, entity, _, period in keys:
        used.setdefault((scope, period), {})[entity] = [0] * len(MEASURES)
    read_used(tx, used)
    return keyed(
        {
            (scope, entity, period): amounts
            for (scope, period), entities in used.items()
            for entity, amounts in entities.items()
        }
    )


def read_used(tx: Tx, used: Used) -> None:
    """Read what these entities have used in these periods."""
    for (scope, period), entities in used.items():
        first_on, last_on = days_of_period(period)
        rows = tx.all(
            _USED,
            scope=scope,
            entities=Listed(sorted(entities)),
            first_on=first_on,
            last_on=last_on,
        )
        for entity, *columns in rows:
            amounts = _amounts(columns)
            assert min(amounts) >= 0, "a counter is never negative"
            entities[entity][:] = amounts


def counters_by_day(
    tx: Tx, scope: Scope, measure: Measure, entities: Iterable[str], first_on: str, end_on: str
) -> Sequence[tuple[str, str, int]]:
    """The counters of these entities on each day from the first on, before the end: entity, day,
    value.
    """
    rows = tx.all(
        _DAYS[measure],
        scope=scope,
        entities=Listed(sorted(entities)),
        first_on=first_on,
        end_on=end_on,
    )
    return [(entity, on, value_of(columns)) for entity, on, *columns in rows]


def counters_of(tx: Tx, client_no: int) -> dict[CounterKey, int]:
    """All counters of a client: one for each day, and one for all sealed days."""
    return _read(tx.all(_OF_CLIENT, client_no=client_no))


def counters_above(
    tx: Tx, entities: tuple[str, str], key: CounterKey, above: int
) -> dict[str, int]:
    """Counters above an amount, of a key's scope, measure and period, for the entities from the
    first on, before the second.
    """
    first_on, last_on = days_of_period(key.period)
    parts = divmod(above, MICROS) if key.measure == "budget" else (above,)
    limit = dict(zip(("above", "beyond"), parts, strict=False))
    rows = tx.all(
        _ABOVE[key.measure],
        scope=key.scope,
        first=entities[0],
        end=entities[1],
        first_on=first_on,
        last_on=last_on,
        **limit,
    )
    return {entity: value_of(columns) for entity, *columns in rows}


def counters_in(
    tx: Tx, client_no: int, scopes: Iterable[str], periods: Sequence[str]
) -> dict[CounterKey, int]:
    """A client's counters of these scopes in these periods."""
    kept = _read(tx.all(_OF_SCOPES, client_no=client_no, scopes=Listed(scopes)))
    return summed(kept, (key._replace(period=period) for key in kept for period in periods))


def rows_of(added: Iterable[tuple[int, Uses]]) -> list[Row]:
    """What is used, by client, as rows in the order of their keys."""
    return sorted(
        (scope, entity, _day_of(period), client_no, *_columns(amounts))
        for client_no, uses in added
        for (scope, entity, period), amounts in uses.items()
    )


def add_counters(tx: Tx, rows: Sequence[Row]) -> None:
    """Add to the counters of days."""
    assert all(min(row[4:]) >= 0 for row in rows), "what is used is never given back"
    _add(tx, counters, rows)


def correct_counters(tx: Tx, client_no: int, added: Mapping[CounterKey, int]) -> None:
    """Add what corrections of one client come to, which may give back what was used."""
    rows = rows_of([(client_no, unkeyed(added))])
    assert all(row[1] for row in rows), "what is used is used of something"
    _add(tx, counters, rows)


def retired_counters_of(tx: Tx, client_no: int) -> dict[CounterKey, int]:
    """The part of a client's counters whose entries have left the ledger."""
    return _read(tx.all(_RETIRED, client_no=client_no))


def add_retired_counters(tx: Tx, client_no: int, taken: Mapping[CounterKey, int]) -> None:
    """Keep the use by one client's entries that leave the ledger. It may be negative: a cancelling
    entry may leave first.
    """
    _add(tx, retired_counters, rows_of([(client_no, unkeyed(taken))]))


def drop_counters(tx: Tx, keys: Sequence[CounterKey]) -> None:
    """Delete counters, and their retired parts."""
    gone: dict[Measure, list[dict[str, str]]] = {}
    for scope, entity, measure, period in keys:
        of = _named((scope, entity, _day_of(period)))
        gone.setdefault(measure, []).append(of)
    for measure, rows in gone.items():
        for clear in _CLEARS[measure]:
            tx.run_text_many(tx.dialect.text_of(clear), rows)
        for drop in _DROPS_EMPTY:
            tx.run_text_many(tx.dialect.text_of(drop), rows)


def seal(tx: Tx, after: Place, before_on: str, most: int) -> Place | None:
    """Seal at most so many days before this one, by adding them to the sealed rows of their
    entities. Returns the last that was looked at, None when none are left after ``after``.
    """
    ends: list[Place] = []
    for table, over, drop in zip(_BOTH, _OVER, _DROPS, strict=True):
        rows = tx.all(
            over,
            **dict(zip(_KEYS, after, strict=True)),
            sealed_on="",
            before_on=before_on,
            most=most,
        )
        if len(rows) == most:
            ends.append(rows[-1][:3])
        if rows:
            assert all("" < row[2] < before_on for row in rows), "only what is over is sealed"
            _add(tx, table, _as_sealed(rows))
            gone = [_named(row[:3]) for row in rows]
            tx.run_text_many(tx.dialect.text_of(drop), gone)
    return min(ends, default=None)


def _as_sealed(days: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows of days as the sealed rows of their entities."""
    sums: dict[tuple[str, str, str, int], list[int]] = {}
    for scope, entity, _, client_no, *columns in days:
        amounts = _amounts(columns)
        assert min(amounts) >= 0, "a counter is never negative"
        own = sums.setdefault((scope, entity, "", client_no), [0] * len(MEASURES))
        own[:] = map(int.__add__, own, amounts)
    return [(*of, *_columns(amounts)) for of, amounts in sorted(sums.items())]


def _add(tx: Tx, table: sa.Table, rows: Sequence[Row]) -> None:
    tx.upsert_rows(table, _COLUMNS, _KEYS, rows, adds=USES)


def _columns(amounts: Sequence[int]) -> list[int]:
    """Amounts in the order of MEASURES as the columns of USES."""
    budget, *counts = amounts
    return [*divmod(budget, MICROS), *counts]


def _amounts(columns: Sequence[int]) -> list[int]:
    units, micros, *counts = map(int, columns)
    return [units * MICROS + micros, *counts]


def value_of(columns: Sequence[int]) -> int:
    """The value of one measure: of a budget its units and micros, else a number."""
    first, *micros = map(int, columns)
    return first * MICROS + micros[0] if micros else first


def _named(key: Sequence[str]) -> dict[str, str]:
    return {f"of_{name}": value for name, value in zip(_KEYS, key, strict=True)}


def _day_of(period: str) -> str:
    assert period[0] == "D", "days are kept, and summed up"
    return period[1:]


def _read(rows: Iterable[Sequence[Any]]) -> dict[CounterKey, int]:
    return keyed(
        {(scope, entity, f"D{on}"): _amounts(columns) for scope, entity, on, *columns in rows}
    )
