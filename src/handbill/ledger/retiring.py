"""Entries that are older than the retention leave the ledger: whole files, with their sums noted.

The books balance before and after: a file's sums are kept when the file is not.
**Source**: safety.md (personal data, retention); stack.md (retention by dropping files).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from logging import getLogger

from handbill.core.charging import CounterKey
from handbill.core.closing import over_before
from handbill.core.job_caps import Count
from handbill.kit.batches import batches
from handbill.kit.instants import DAY, Instant
from handbill.ledger import (
    address_days,
    apply_ages,
    counter_rows,
    counting,
    daily_sums,
    folding,
    rows,
    tellings,
)
from handbill.ledger.terms import zones_of
from handbill.listings import service as listings
from handbill.store import marks, segment_files, segments
from handbill.store.records import Tx
from handbill.store.records.base import STEP
from handbill.store.segments import Segment
from handbill.work.tools import Tools

LONGEST_WINDOW = 120 * DAY
"""No conversion finds its click after this: windows have 90 days at most (contract 3)."""
VISITS_KEPT = 30 * DAY  # no duplicate's window is longer than a week
ADDRESS_DAYS_KEPT = 3 * DAY  # a day is over everywhere, and its last clicks are judged
_MOST_FILES = 200
_MEMORY_MB = 256
_log = getLogger("handbill.ledger")


def retire(tools: Tools, now: Instant) -> int:
    """Retire the segments whose entries are all older than the operator's retention; how many. A
    damaged one stays, and is reported.

    The sweep deletes their files later, when no report can be reading them any more.
    """
    before = now - tools.settings.retention_days * DAY
    with tools.records.read() as tx:
        old = segments.segments_before(tx, before)
    count = 0
    for some in batches(old, _MOST_FILES):
        assert all(segment.last_at < before for segment in some), "only what is old leaves"
        count += _some(tools, some, now)
    return count


def _some(tools: Tools, old: Sequence[Segment], now: Instant) -> int:
    with segment_files.sound_files(tools.blobs, old, tools.scratch) as (sound, ails):
        for ail in ails:
            _log.error("is not retired: %s", ail)
        if not sound:
            return 0
        with tools.records.read() as tx:
            leaving = segments.with_parts(tx, [segment for segment, _ in sound])
            client_nos = sorted(segments.clients_in(leaving))
            assert client_nos, "every entry is some client's"
            zones = zones_of(tx, client_nos)
            counts = counting.counts_of_each(tx, client_nos)
        sums, days = _sums(tools, sound, zones, counts)
    try:
        with tools.records.write() as tx:
            marks.hold_fence(tx)
            if counting.counts_of_each(tx, client_nos) != counts:
                return 0  # the counts changed meanwhile; the next sweep adds those up too
            segments.retire(tx, [segment for segment, _ in sound], now)
            for client_no, (tallies, counters) in sums.items():
                rows.add_retired_tallies(tx, client_no, tallies)
                counter_rows.add_retired_counters(tx, client_no, counters)
            daily_sums.retire(tx, days)
    except segments.Replaced:
        return 0  # compacted meanwhile; the next sweep finds the new file
    return len(sound)


def _sums(
    tools: Tools,
    old: Sequence[tuple[Segment, str]],
    zones: Mapping[int, tzinfo],
    counts: Mapping[int, set[Count]],
) -> tuple[
    dict[int, tuple[Counter[tuple[str, str]], dict[CounterKey, int]]],
    dict[tuple[int, str], list[int]],
]:
    """The sums of each client's entries: tallies and counters; and the sums of its days."""
    listed = [segment for segment, _ in old]
    with segment_files.query(tools.scratch, memory_mb=_MEMORY_MB, threads=1) as duck:
        folding.load(duck, [file for _, file in old], None)
        sums = {
            client_no: (Counter[tuple[str, str]](), dict[CounterKey, int]()) for client_no in zones
        }
        for client_no, kind, what, count, *_ in folding.folded_sums(duck):
            sums[client_no][0][kind, what] = int(count)
        for client_no, counters in folding.counters(duck, listed, zones, counts):
            sums[client_no][1].update(counters)
        days = {(no, day_on): it for no, day_on, it in folding.come_to(duck, listed, zones)}
    assert {no for no, _ in days} <= sums.keys(), "what leaves is of those asked for"
    return sums, days


def seal(tools: Tools, now: Instant) -> None:
    """Make one row of the closed days of each counter, so that the use in a lifetime is the sum of
    a few rows. Some at a time: after a crash the next run does the rest.
    """
    before_on = over_before(now).isoformat()
    after: counter_rows.Place | None = counter_rows.FIRST
    while after is not None:
        assert len(after) == len(counter_rows.FIRST), "a row has its key"
        with tools.records.write() as tx:
            marks.hold_fence(tx)
            after = counter_rows.seal(tx, after, before_on, STEP)
        tools.records.give_way()


def forget(tools: Tools, now: Instant) -> None:
    """Delete clicks, visits, departures, counts and identities that decide nothing more."""
    kept = max(tools.settings.retention_days * DAY, LONGEST_WINDOW)
    for forgotten, before in (
        (rows.forget_clicks, now - LONGEST_WINDOW),
        (rows.forget_visits, now - VISITS_KEPT),
        (rows.forget_keys, now - kept),
        (address_days.forget, now - ADDRESS_DAYS_KEPT),
        (listings.forget_departures, now - kept - DAY),
        (apply_ages.forget, now - apply_ages.KEPT),
        (tellings.forget_agents, now - tellings.AGENTS_KEPT),
        (daily_sums.forget, now - daily_sums.KEPT),
    ):
        tools.records.in_steps(_older(forgotten, before))


def _older(
    forgotten: Callable[[Tx, Instant, int], int], before: Instant
) -> Callable[[Tx, int], int]:
    return lambda tx, most: forgotten(tx, before, most)
