"""Rows of how targets are pursued: corrections of job groups, and the last bids for them."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.in_force import Key
from handbill.store.records import Tx
from handbill.store.records.tables import aims, control_days, corrections

_a, _c, _d = aims.c, corrections.c, control_days.c
_AIMS = sa.select(_a.group_no, _a.publisher_no, _a.aimed_micros).where(
    _a.client_no == b("client_no")
)
_CORRECTIONS = sa.select(
    _c.group_no, _c.target_micros, _c.value_ppm, _c.since_on, _c.corrected_on
).where(_c.client_no == b("client_no"))


_DAYS = sa.select(_d.group_no, _d.publisher_no, _d.day_on, _d.clicks, _d.spend_micros).where(
    _d.client_no == b("client_no"), _d.day_on >= b("first_on")
)


class ClickDay(NamedTuple):
    """Clicks of a job group at a publisher on a day, and their cost as caps count it."""

    group_no: int
    publisher_no: int
    day_on: str
    clicks: int
    spend_micros: int


class Correction(NamedTuple):
    """Of one target of a job group: ``since_on`` that target is in force."""

    target_micros: int
    value_ppm: int
    since_on: str
    corrected_on: str

    @property
    def since(self) -> date:
        return date.fromisoformat(self.since_on)


def aims_of(tx: Tx, client_no: int) -> dict[Key, int]:
    """By job group and publisher."""
    rows = tx.all(_AIMS, client_no=client_no)
    return {(group_no, publisher_no): micros for group_no, publisher_no, micros in rows}


def corrections_of(tx: Tx, client_no: int) -> dict[int, Correction]:
    """By job group."""
    return {no: Correction(*of) for no, *of in tx.all(_CORRECTIONS, client_no=client_no)}


def days_of(tx: Tx, client_no: int, first: date) -> list[ClickDay]:
    """From one day on."""
    rows = tx.all(_DAYS, client_no=client_no, first_on=first.isoformat())
    return [ClickDay(*row) for row in rows]


def put_aims(tx: Tx, client_no: int, some: Mapping[Key, int]) -> None:
    tx.upsert_many(
        aims,
        ["group_no", "publisher_no"],
        [
            {
                "group_no": group_no,
                "publisher_no": publisher_no,
                "client_no": client_no,
                "aimed_micros": micros,
            }
            for (group_no, publisher_no), micros in some.items()
        ],
    )


def put_corrections(tx: Tx, client_no: int, some: Mapping[int, Correction]) -> None:
    tx.upsert_many(
        corrections,
        ["group_no"],
        [
            {"group_no": group_no, "client_no": client_no, **one._asdict()}
            for group_no, one in some.items()
        ],
    )
