"""How late applies come: for each job group at each publisher, by the day of the click and the
number of days until the apply. Only applies by clicks that count are recorded, for a limited time.
"""

from collections.abc import Mapping
from datetime import date
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import DAY, Instant, iso_of
from handbill.store.records import Tx
from handbill.store.records.tables import apply_ages

KEPT: Final = 150 * DAY
_a = apply_ages.c
_SINCE = sa.select(_a.group_no, _a.publisher_no, _a.click_on, _a.age, _a.applies).where(
    _a.client_no == b("client_no"), _a.click_on >= b("first_on")
)
_DELAYS = (
    sa.select(_a.click_on, _a.age, sa.func.sum(_a.applies))
    .where(_a.client_no == b("client_no"), _a.click_on >= b("first_on"))
    .group_by(_a.click_on, _a.age)
)
_OLD = (
    sa.select(_a.client_no, _a.group_no, _a.publisher_no, _a.click_on, _a.age)
    .where(_a.click_on < b("before_on"))
    .limit(b("most", type_=sa.Integer))
)
_KEYS = (_a.client_no, _a.group_no, _a.publisher_no, _a.click_on, _a.age)
_FORGET = sa.delete(apply_ages).where(sa.tuple_(*_KEYS).in_(_OLD))


class ApplyAge(NamedTuple):
    """``age``: in days of the client's zone."""

    group_no: int
    publisher_no: int
    click_on: str
    age: int


def age_of(group_no: int, publisher_no: int, clicked_on: date, applied_on: date) -> ApplyAge:
    """The age of an apply; 0 if clocks differ and it is dated before its click."""
    age = max(0, (applied_on - clicked_on).days)
    return ApplyAge(group_no, publisher_no, clicked_on.isoformat(), age)


def add(tx: Tx, came: Mapping[int, Mapping[ApplyAge, int]]) -> None:
    """Add what came for each client."""
    tx.upsert_many(
        apply_ages,
        [column.name for column in _KEYS],
        [
            {"client_no": client_no, **of._asdict(), "applies": count}
            for client_no, of_client in sorted(came.items())
            for of, count in of_client.items()
        ],
        adds=["applies"],
    )


def since(tx: Tx, client_no: int, first: date) -> dict[ApplyAge, int]:
    """The applies that came from a client's clicks since a day."""
    rows = tx.all(_SINCE, client_no=client_no, first_on=first.isoformat())
    return {ApplyAge(*of): count for *of, count in rows}


def delays_since(tx: Tx, client_no: int, first: date) -> dict[tuple[str, int], int]:
    """The same of all job groups and publishers together, by the day of the click and the age."""
    rows = tx.all(_DELAYS, client_no=client_no, first_on=first.isoformat())
    return {(click_on, age): int(count) for click_on, age, count in rows}


def forget(tx: Tx, before: Instant, most: int) -> int:
    """Delete at most so many rows of older clicks; returns how many."""
    return tx.run(_FORGET, before_on=iso_of(before)[:10], most=most)
