"""How far the journal is judged: rows that only the judge's transaction changes."""

from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.kit.instants import Instant
from handbill.store import asides
from handbill.store.journal_streams import StreamMark
from handbill.store.records import Tx
from handbill.store.records.tables import journal_marks

FENCE = ""
"""Not a real source: its mark counts the batches, and is locked while one is booked."""

_m = journal_marks.c
_MARKS = sa.select(_m.source, _m.segment, _m.offset, _m.judged_at, _m.written_off_at)
_JUDGED_AT = sa.select(_m.judged_at).where(_m.source == b("source"))


class Marks(NamedTuple):
    """``batches``: how many are booked. ``judged_at``: everything that the doors stamped earlier is
    judged. ``of``: how far each source is judged.
    """

    batches: int
    judged_at: Instant
    of: dict[str, StreamMark]


def make_fence(tx: Tx) -> None:
    row = {"source": FENCE, "segment": 0, "offset": 0, "judged_at": 0}
    tx.upsert_many(journal_marks, ["source"], [row], keep=True)


def read(tx: Tx) -> Marks:
    by_source = {row[0]: row[1:] for row in tx.all(_MARKS)}
    batches, _, judged_at, _ = by_source.pop(FENCE, (0, 0, 0, None))
    assert batches >= 0 <= judged_at, "what is judged only grows"
    return Marks(
        batches,
        judged_at,
        {
            source: StreamMark(segment, offset, written_off_at is not None)
            for source, (segment, offset, _, written_off_at) in by_source.items()
        },
    )


def judged_at(tx: Tx, client_no: int) -> Instant:
    """The instant before which all events of a client stamped by the doors are judged."""
    of_all: Instant = tx.value(_JUDGED_AT, source=FENCE) or 0
    own = asides.judged_at(tx, client_no)
    return of_all if own is None else min(of_all, own)


def hold_fence(tx: Tx) -> int:
    """Keep every other judge out until the transaction ends; the number of booked batches."""
    text = f"SELECT segment FROM journal_marks WHERE source = ''{tx.dialect.rowlock}"
    rows, _ = tx.run_text(text, {})
    assert len(rows) == 1, "there is one fence"
    return int(rows[0][0])


def put(tx: Tx, former: Marks, judged_at: Instant, moved: Mapping[str, StreamMark]) -> None:
    """Count one more batch, which moved these sources from their ``former`` marks."""
    for source, mark in moved.items():
        assert source != FENCE, "the fence is moved by this alone"
        assert mark.segment > 0 <= mark.offset, "a mark is a place in a segment"
        assert mark[:2] >= former.of.get(source, mark)[:2], "a mark never goes back"
    tx.upsert_many(
        journal_marks,
        ["source"],
        [
            {
                "source": source,
                "segment": mark.segment,
                "offset": mark.offset,
                "judged_at": judged_at,
                "written_off_at": None,
            }
            for source, mark in sorted({FENCE: StreamMark(former.batches + 1, 0), **moved}.items())
        ],
    )


def write_off(tx: Tx, source: str, now: Instant) -> None:
    """Note that everything after a source's mark is lost; if it comes back, it is judged."""
    tx.change(journal_marks, {"source": source}, written_off_at=now)
