"""What the records of the books refuse to keep, on both engines: nothing goes back or below 0."""

import pytest

from handbill.core.charging import CounterKey, unkeyed
from handbill.ledger import counter_rows
from handbill.store import marks
from handbill.store.journal_streams import StreamMark
from handbill.store.records import Records

KEY = CounterKey("group", "1", "clicks", "D2026-11-10")


def test_a_counter_only_grows(records: Records) -> None:
    with records.write() as tx:
        counter_rows.add_counters(tx, counter_rows.rows_of([(1, unkeyed({KEY: 5}))]))
        counter_rows.add_counters(tx, counter_rows.rows_of([(1, unkeyed({KEY: 2}))]))
    with pytest.raises(AssertionError, match="never given back"), records.write() as tx:
        counter_rows.add_counters(tx, counter_rows.rows_of([(1, unkeyed({KEY: -1}))]))
    with records.read() as tx:
        assert counter_rows.counters_used(tx, [KEY]) == {KEY: 7}


def test_a_counter_below_zero_is_a_bug(records: Records) -> None:
    with records.write() as tx:
        counter_rows.add_counters(tx, counter_rows.rows_of([(1, unkeyed({KEY: 5}))]))
        tx.run_text("UPDATE counters SET clicks = -1", {})
    with pytest.raises(AssertionError, match="never negative"), records.read() as tx:
        counter_rows.counters_used(tx, [KEY])


def test_a_mark_never_goes_back(records: Records) -> None:
    with records.write() as tx:
        marks.make_fence(tx)
        marks.put(tx, marks.read(tx), 5, {"edge-0/001": StreamMark(2, 40)})
    for mark in (StreamMark(2, 39), StreamMark(1, 99), StreamMark(0, 0), StreamMark(2, -1)):
        with pytest.raises(AssertionError), records.write() as tx:
            marks.put(tx, marks.read(tx), 6, {"edge-0/001": mark})
    with records.write() as tx:
        marks.put(
            tx, marks.read(tx), 6, {"edge-0/001": StreamMark(2, 40), "edge-1/001": StreamMark(1, 0)}
        )
        told = marks.read(tx)
    assert (told.batches, told.judged_at) == (2, 6)
    assert told.of == {"edge-0/001": StreamMark(2, 40), "edge-1/001": StreamMark(1, 0)}
