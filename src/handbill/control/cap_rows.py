"""Rows of what each cap did at the last tick, and of missed and unbilled clicks below it."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.pacing.caps import Felt
from handbill.core.pacing.outlook import Limited
from handbill.core.standing.capping import CapKey
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.tables import cap_notes, control_days

MOST_WHOLE: Final = 2**63 - 1
"""The largest number that a column holds: more than any cap."""
_n, _d = cap_notes.c, control_days.c
_KEYS: Final = ("client_no", "scope", "entity", "measure")
_NOTES = sa.select(
    _n.scope, _n.entity, _n.measure, _n.felt, _n.in_flight, _n.period, _n.past, _n.since_at
).where(_n.client_no == b("client_no"))
_DROP = sa.delete(cap_notes).where(*(_n[name] == b(f"of_{name}") for name in _KEYS))
_SUMMED: Final = ("unbilled", "unbilled_micros", "missed_by_bid", "missed_by_listing")
_SUMS = (
    sa.select(_d.group_no, _d.publisher_no, *(sa.func.sum(_d[name]) for name in _SUMMED))
    .where(
        among(_d.group_no, "groups"),
        _d.day_on >= b("first_on"),
        sa.or_(*(_d[name] > sa.literal_column("0") for name in _SUMMED)),
    )
    .group_by(_d.group_no, _d.publisher_no)
)


class CapNoted(NamedTuple):
    """``in_flight``: in millionths of what the cap counts."""

    felt: Felt = Felt.FULL
    in_flight: int = 0
    limited: Limited = Limited()


class PairSum(NamedTuple):
    """What was unbilled and missed of a job group at a publisher; missed clicks in millionths."""

    group_no: int
    publisher_no: int
    unbilled: int
    unbilled_micros: int
    missed_by_bid: int
    missed_by_listing: int


def notes_of(tx: Tx, client_no: int) -> dict[CapKey, CapNoted]:
    return {
        (scope, entity, measure): CapNoted(Felt(felt), in_flight, Limited(*spell))
        for scope, entity, measure, felt, in_flight, *spell in tx.all(_NOTES, client_no=client_no)
    }


def replace_notes(
    tx: Tx, client_no: int, before: Mapping[CapKey, CapNoted], after: Mapping[CapKey, CapNoted]
) -> None:
    """Rows that have not changed are not written."""
    rows = [
        {
            **dict(zip(_KEYS, (client_no, *key), strict=True)),
            "felt": one.felt,
            "in_flight": one.in_flight,
            **one.limited._asdict(),
        }
        for key, one in after.items()
        if before.get(key) != one
    ]
    tx.upsert_many(cap_notes, _KEYS, rows)
    gone = [
        {f"of_{name}": value for name, value in zip(_KEYS, (client_no, *key), strict=True)}
        for key in before
        if key not in after
    ]
    if gone:
        tx.run_text_many(tx.dialect.text_of(_DROP), gone)


def sums_of(tx: Tx, group_nos: Iterable[int], first_on: str) -> list[PairSum]:
    """Sums of these job groups over all days from one on; those with nothing are left out."""
    groups = Listed(sorted(group_nos))
    rows: Iterable[tuple[int, ...]] = tx.all(_SUMS, groups=groups, first_on=first_on)
    return [PairSum(*map(int, row)) for row in rows]
