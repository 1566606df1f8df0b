"""Rows of what targets are pursued by: corrections of job groups, and the bids aimed at last."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.store.records import Tx
from handbill.store.records.tables import aims, corrections

_a, _c = aims.c, corrections.c
_AIMS = sa.select(_a.group_no, _a.publisher_no, _a.aimed_micros).where(
    _a.client_no == b("client_no")
)
_CORRECTIONS = sa.select(
    _c.group_no, _c.target_micros, _c.value_ppm, _c.since_on, _c.corrected_on
).where(_c.client_no == b("client_no"))


class Correction(NamedTuple):
    """Of one target of a job group: ``since_on`` that is what it aims at."""

    target_micros: int
    value_ppm: int
    since_on: str
    corrected_on: str

    @property
    def since(self) -> date:
        return date.fromisoformat(self.since_on)


def aims_of(tx: Tx, client_no: int) -> dict[tuple[int, int], int]:
    """By job group and publisher."""
    rows = tx.all(_AIMS, client_no=client_no)
    return {(group_no, publisher_no): micros for group_no, publisher_no, micros in rows}


def corrections_of(tx: Tx, client_no: int) -> dict[int, Correction]:
    """By job group."""
    return {no: Correction(*of) for no, *of in tx.all(_CORRECTIONS, client_no=client_no)}


def put_aims(tx: Tx, client_no: int, some: Mapping[tuple[int, int], int]) -> None:
    tx.upsert_many(aims, ["group_no", "publisher_no"], [
        {
            "group_no": group_no, "publisher_no": publisher_no, "client_no": client_no,
            "aimed_micros": micros,
        }
        for (group_no, publisher_no), micros in some.items()
    ])  # fmt: skip


def put_corrections(tx: Tx, client_no: int, some: Mapping[int, Correction]) -> None:
    tx.upsert_many(corrections, ["group_no"], [
        {"group_no": group_no, "client_no": client_no, **one._asdict()}
        for group_no, one in some.items()
    ])  # fmt: skip
