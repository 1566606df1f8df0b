"""Compacts segments: many small ones of a month become one, a few times in an entry's life."""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.tables import segments
from handbill.store.segments import (
    LIVE,
    ORPHAN_AGE,
    SEGMENTS,
    Replaced,
    Segment,
    WrittenSegment,
    named_at,
    register,
    retire,
)

_t = segments.c
MOST_ROWS: Final = 4_000_000  # of a compacted segment
_FEW: Final = 8  # so many segments of about the same size become one
_MOST_FILES: Final = 2_000
_OF_MONTH = SEGMENTS.ever(LIVE, "month")
_SPLIT = (
    sa.select(_t.month)
    .where(LIVE, _t.rows < b("most"))
    .group_by(_t.month)
    .having(sa.func.count() >= b("few", type_=sa.Integer))
    .order_by(_t.month)
)


def months_to_compact(tx: Tx) -> list[str]:
    """Months with many small segments."""
    return [month for (month,) in tx.all(_SPLIT, most=MOST_ROWS, few=_FEW)]


def segments_in(tx: Tx, month: str) -> list[Segment]:
    return _OF_MONTH.all(tx, month=month)


def chosen(live: Sequence[Segment]) -> list[Segment]:
    """Which segments to merge: of one month, eight or more of about the same size.

    Sizes are powers of eight, so that an entry is rewritten only a few times in its life.
    """
    tiers: dict[tuple[str, int], list[Segment]] = {}
    for segment in live:
        if segment.rows < MOST_ROWS:
            tiers.setdefault((segment.month, segment.rows.bit_length() // 3), []).append(segment)
    for _, alike in sorted(tiers.items()):
        if len(alike) >= _FEW:
            return _bounded(alike)
    return []


def _bounded(alike: Sequence[Segment]) -> list[Segment]:
    rows = 0
    taken: list[Segment] = []
    for segment in alike[:_MOST_FILES]:
        rows += segment.rows
        if rows > MOST_ROWS and len(taken) > 1:
            break
        taken.append(segment)
    return taken


def replace(tx: Tx, former: Sequence[Segment], made: WrittenSegment, now: Instant) -> None:
    """List the new segment instead of the former ones. **Refuses** (Replaced) if not all of them
    are still listed, or so late that its file may have been swept.
    """
    if named_at(made.segment.path) < now - ORPHAN_AGE // 2:
        raise Replaced
    rows = sum(segment.rows for segment in former)
    assert rows == made.segment.rows, "no entry is lost or made"
    retire(tx, former, now)
    register(tx, [made], now)
