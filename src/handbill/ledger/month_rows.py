"""What the budgets of clients have used in a month, by the counters of its days."""

from collections.abc import Iterable
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.pacing.months import MOST_EVIDENCE, MonthSpend
from handbill.ledger.counter_rows import value_of
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.booked import USES
from handbill.store.records.tables import counters

_c = counters.c
_ZERO: sa.ColumnElement[int] = sa.literal_column("0")


def _spent(*within: sa.ColumnElement[bool]) -> list[sa.ColumnElement[int]]:
    return [
        sa.cast(sa.func.sum(sa.case((sa.and_(*within), _c[name]), else_=_ZERO)), sa.BigInteger)
        for name in USES[:2]
    ]


_IN_MONTH = (
    sa.select(
        _c.entity,
        *_spent(_c.day_on >= b("month_on")),
        *_spent(_c.day_on == b("today_on")),
        *_spent(_c.day_on >= b("lately_on"), _c.day_on < b("today_on")),
    )
    .where(
        _c.scope == sa.literal_column("'client'"),
        among(_c.entity, "entities"),
        _c.day_on >= b("first_on"),
        _c.day_on <= b("today_on"),
    )
    .group_by(_c.entity)
)


def used_in_month(tx: Tx, client_nos: Iterable[int], today: date) -> dict[int, MonthSpend]:
    """What each of these clients has used of a budget in the month of a day. It counts what budget
    caps count, so not what is bought in advance. A client without any is left out.
    """
    month, lately = today.replace(day=1), today - timedelta(days=MOST_EVIDENCE)
    rows = tx.all(
        _IN_MONTH,
        entities=Listed(sorted(map(str, client_nos))),
        first_on=min(month, lately).isoformat(),
        month_on=month.isoformat(),
        lately_on=lately.isoformat(),
        today_on=today.isoformat(),
    )
    return {
        int(entity): MonthSpend(
            *(value_of(pair) for pair in zip(parts[::2], parts[1::2], strict=True))
        )
        for entity, *parts in rows
    }
