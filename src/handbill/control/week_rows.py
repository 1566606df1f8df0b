"""Rows of when traffic comes: each publisher's week, and the days that are not in it yet."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.control.weeks import QuarterClicks
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import shape_days, shapes

_s, _d = shapes.c, shape_days.c
_WEEKS = sa.select(_s.publisher_no, _s.body).where(among(_s.publisher_no, "nos"))
_OVER = (among(_d.publisher_no, "nos"), _d.day_on < b("before"))
_PUBLISHERS = sa.select(_d.publisher_no).where(_d.day_on < b("before")).distinct()
_TAKE = sa.delete(shape_days).where(*_OVER).returning(*(_d[name] for name in QuarterClicks._fields))


def weeks_of(tx: Tx, publisher_nos: Iterable[int]) -> dict[int, str]:
    """By publisher; none for publishers without a completed day."""
    return dict(tx.all(_WEEKS, nos=Listed(sorted(publisher_nos))))


def put_weeks(tx: Tx, some: Iterable[tuple[int, str]]) -> None:
    rows = [{"publisher_no": no, "body": body} for no, body in some]
    tx.upsert_many(shapes, ["publisher_no"], rows)


def add(tx: Tx, some: Iterable[QuarterClicks]) -> None:
    """Clicks are added up: nothing is lost if others add for the same publisher."""
    rows = [one._asdict() for one in some]
    keys = ["publisher_no", "day_on", "quarter"]
    tx.upsert_many(shape_days, keys, rows, adds=["clicks_ppm"])


def publishers_with(tx: Tx, before_on: str) -> list[int]:
    """The publishers with clicks waiting of earlier days."""
    return sorted(no for (no,) in tx.all(_PUBLISHERS, before=before_on))


def take(tx: Tx, publisher_nos: Sequence[int], before_on: str) -> dict[int, list[QuarterClicks]]:
    """Take out what waits of earlier days at these publishers."""
    by_publisher: dict[int, list[QuarterClicks]] = {}
    for row in tx.all(_TAKE, nos=Listed(publisher_nos), before=before_on):
        one = QuarterClicks(*row)
        by_publisher.setdefault(one.publisher_no, []).append(one)
    return by_publisher
