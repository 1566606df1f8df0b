"""Rows of counters: the use of each measure on each day, by everything that happened (``counters``)
and by what has since left the ledger (``retired_counters``).

Weeks, months and lifetimes are added up on demand. Closed days are sealed: those of an entity
become one row, so that a lifetime is the sum of a few rows.
"""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.charging import CounterKey, Measure, Scope, summed
from handbill.kit.zones import days_of_period
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import counters, retired_counters

_KEYS = ("scope", "entity", "measure", "day_on")
_BOTH = (counters, retired_counters)
_c = counters.c
_SUM = sa.func.sum(_c.value)
_WITHIN = sa.and_(_c.day_on >= b("first_on"), _c.day_on <= b("last_on"))
_USED = (
    sa.select(_c.entity, _c.measure, _SUM)
    .where(
        _c.scope == b("scope"),
        among(_c.entity, "entities"),
        among(_c.measure, "measures"),
        _WITHIN,
    )
    .group_by(_c.entity, _c.measure)
)
_ABOVE = (
    sa.select(_c.entity, _SUM)
    .where(
        _c.scope == b("scope"),
        _c.entity >= b("first"),
        _c.entity < b("end"),
        _c.measure == b("measure"),
        _WITHIN,
    )
    .group_by(_c.entity)
    .having(b("above", type_=sa.BigInteger) < _SUM)
)
_OF_CLIENT, _RETIRED = (
    sa.select(*(table.c[name] for name in _KEYS), table.c.value).where(
        table.c.client_no == b("client_no")
    )
    for table in _BOTH
)
_OF_SCOPES = _OF_CLIENT.where(among(_c.scope, "scopes"))
_DAYS = sa.select(_c.entity, _c.day_on, _c.value).where(
    _c.scope == b("scope"),
    among(_c.entity, "entities"),
    _c.measure == b("measure"),
    _c.day_on >= b("first_on"),
    _c.day_on < b("end_on"),
)
_DROPS = [
    sa.delete(table).where(*(table.c[name] == b(f"of_{name}") for name in _KEYS)) for table in _BOTH
]
_OVER = [
    sa.select(*(table.c[name] for name in _KEYS), table.c.client_no, table.c.value)
    .where(
        sa.tuple_(*(table.c[name] for name in _KEYS)) > sa.tuple_(*map(b, _KEYS)),
        table.c.day_on > b("sealed_on"),
        table.c.day_on < b("before_on"),
    )
    .order_by(*(table.c[name] for name in _KEYS))
    .limit(b("most", type_=sa.Integer))
    for table in _BOTH
]
Place = tuple[str, str, str, str]
FIRST: Place = ("", "", "", "")


def counters_used(tx: Tx, keys: Iterable[CounterKey]) -> dict[CounterKey, int]:
    """The use of these counters (and of some neighbours)."""
    by_period: dict[tuple[Scope, str], tuple[set[str], set[str]]] = {}
    for scope, entity, measure, period in keys:
        entities, measures = by_period.setdefault((scope, period), (set(), set()))
        entities.add(entity)
        measures.add(measure)
    used: dict[CounterKey, int] = {}
    for (scope, period), (entities, measures) in by_period.items():
        first_on, last_on = days_of_period(period)
        found = tx.all(
            _USED,
            scope=scope,
            entities=Listed(sorted(entities)),
            measures=Listed(sorted(measures)),
            first_on=first_on,
            last_on=last_on,
        )
        for entity, measure, value in found:
            assert value >= 0, "a counter is never negative"
            used[CounterKey(scope, entity, measure, period)] = int(value)
    return used


def counters_by_day(
    tx: Tx, scope: Scope, measure: Measure, entities: Iterable[str], first_on: str, end_on: str
) -> Sequence[tuple[str, str, int]]:
    """The counters of these entities on each day from the first on, before the end: entity, day,
    value.
    """
    return tx.all(
        _DAYS,
        scope=scope,
        measure=measure,
        entities=Listed(sorted(entities)),
        first_on=first_on,
        end_on=end_on,
    )


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
    found = tx.all(
        _ABOVE,
        scope=key.scope,
        measure=key.measure,
        first=entities[0],
        end=entities[1],
        first_on=first_on,
        last_on=last_on,
        above=above,
    )
    return {entity: int(value) for entity, value in found}


def counters_in(
    tx: Tx, client_no: int, scopes: Iterable[str], periods: Sequence[str]
) -> dict[CounterKey, int]:
    """A client's counters of these scopes in these periods."""
    kept = _read(tx.all(_OF_SCOPES, client_no=client_no, scopes=Listed(scopes)))
    return summed(kept, (key._replace(period=period) for key in kept for period in periods))


def add_counters(tx: Tx, added: Iterable[tuple[int, CounterKey, int]]) -> None:
    """Add to the counters of days."""
    ordered = sorted(added)
    assert all(value >= 0 for _, _, value in ordered), "what is used is never given back"
    _add(tx, counters, ordered)


def correct_counters(tx: Tx, added: Iterable[tuple[int, CounterKey, int]]) -> None:
    """Add what corrections come to, which may give back what was used."""
    ordered = sorted(added)
    assert all(key.entity for _, key, _ in ordered), "what is used is used of something"
    _add(tx, counters, ordered)


def retired_counters_of(tx: Tx, client_no: int) -> dict[CounterKey, int]:
    """The part of a client's counters whose entries have left the ledger."""
    return _read(tx.all(_RETIRED, client_no=client_no))


def add_retired_counters(tx: Tx, client_no: int, taken: Mapping[CounterKey, int]) -> None:
    """Keep the use by one client's entries that leave the ledger. It may be negative: a cancelling
    entry may leave first.
    """
    _add(tx, retired_counters, [(client_no, key, value) for key, value in sorted(taken.items())])


def drop_counters(tx: Tx, keys: Sequence[CounterKey]) -> None:
    """Delete counters, and their retired parts."""
    rows = [{f"of_{name}": value for name, value in _columns(key).items()} for key in keys]
    for statement in _DROPS if rows else ():
        tx.run_text_many(tx.dialect.text_of(statement), rows)


def seal(tx: Tx, after: Place, before_on: str, most: int) -> Place | None:
    """Seal at most so many days before this one, by adding them to the sealed rows of their
    entities. Returns the last that was looked at, None when none are left after ``after``.
    """
    ends: list[Place] = []
    for table, over, drop in zip(_BOTH, _OVER, _DROPS, strict=True):
        found = tx.all(
            over,
            **dict(zip(_KEYS, after, strict=True)),
            sealed_on="",
            before_on=before_on,
            most=most,
        )
        if len(found) == most:
            ends.append(found[-1][:4])
        if found:
            assert all("" < row[3] < before_on for row in found), "only what is over is sealed"
            sealed = [(row[4], _key((*row[:3], "")), row[5]) for row in found]
            _add(tx, table, _together(sealed))
            gone = [dict(zip((f"of_{name}" for name in _KEYS), row, strict=False)) for row in found]
            tx.run_text_many(tx.dialect.text_of(drop), gone)
    return min(ends, default=None)


def _together(rows: Iterable[tuple[int, CounterKey, int]]) -> list[tuple[int, CounterKey, int]]:
    sums: dict[tuple[int, CounterKey], int] = {}
    for client_no, key, value in rows:
        assert value >= 0, "a counter is never negative"
        sums[client_no, key] = sums.get((client_no, key), 0) + value
    return [(*of, value) for of, value in sorted(sums.items())]


def _add(tx: Tx, table: sa.Table, rows: Iterable[tuple[int, CounterKey, int]]) -> None:
    tx.upsert_many(
        table,
        _KEYS,
        [
            {
                "scope": scope,
                "entity": entity,
                "measure": measure,
                "day_on": _day_of(period),
                "client_no": client_no,
                "value": value,
            }
            for client_no, (scope, entity, measure, period), value in rows
        ],
        adds=["value"],
    )


def _columns(key: CounterKey) -> dict[str, str]:
    scope, entity, measure, period = key
    return {"scope": scope, "entity": entity, "measure": measure, "day_on": _day_of(period)}


def _day_of(period: str) -> str:
    assert period[0] == "D", "days are kept, and summed up"
    return period[1:]


def _key(row: Sequence[str]) -> CounterKey:
    scope, entity, measure, day_on = row
    return CounterKey(scope, entity, measure, f"D{day_on}")  # type: ignore[arg-type]


def _read(rows: Iterable[Sequence[object]]) -> dict[CounterKey, int]:
    return {_key(row[:4]): row[4] for row in rows}  # type: ignore[arg-type,misc]
