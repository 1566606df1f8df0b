"""What is older than it is kept for leaves the ledger: whole files, with their sums noted.

The books balance before and after: what a file summed up to is kept when the file is not.
**Source**: safety.md (personal data, retention); stack.md (retention by dropping files).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import tzinfo
from logging import getLogger

from handbill.clients.service import clients_by_number
from handbill.core.charging import CounterKey, folded, period_keys
from handbill.core.job_caps import Count, folded_jobs
from handbill.kit.instants import DAY, Instant
from handbill.kit.zones import day_of, zone_of
from handbill.ledger import address_days, counting, folding, rows
from handbill.listings import service as listings
from handbill.store import marks, segment_files, segments
from handbill.store.records import Records, Tx
from handbill.store.segments import Segment
from handbill.work.tools import Tools

LONGEST_WINDOW = 120 * DAY
"""No conversion finds its click after this: windows have 90 days at most (contract 3)."""
VISITS_KEPT = 30 * DAY  # no duplicate's window is longer than a week
ADDRESS_DAYS_KEPT = 3 * DAY  # a day is over everywhere, and its last clicks are judged
_MOST_FILES = 200
_MEMORY_MB = 256
_MOST_ROUNDS = 1_000
_LIFETIME = "L"
_log = getLogger("handbill.ledger")


def retire(tools: Tools, now: Instant) -> int:
    """Take the segments out whose entries are all older than the operator keeps them; how many.

    Their files are deleted by the sweep, when no report can be reading them any more.
    """
    before = now - tools.settings.retention_days * DAY
    with tools.records.read() as tx:
        client_nos = segments.clients_before(tx, before)
    count = 0
    for client_no in client_nos:
        try:
            count += _of_client(tools, client_no, before, now)
        except segment_files.Damaged as damaged:
            _log.error("nothing of client %d is retired: %s", client_no, damaged)
    return count


def _of_client(tools: Tools, client_no: int, before: Instant, now: Instant) -> int:
    count = 0
    for _ in range(_MOST_ROUNDS):
        with tools.records.read() as tx:
            old = segments.segments_before(tx, client_no, before)[:_MOST_FILES]
            client = clients_by_number(tx, [client_no]).get(client_no)
            counts = counting.counts_of(tx, client_no)
        if not old:
            break
        assert all(segment.last_at < before for segment in old), "only what is old leaves"
        zone = zone_of(client.zone if client else "UTC")
        tallies, counters = _sums(tools, old, zone, counts)
        try:
            with tools.records.write() as tx:
                marks.hold_fence(tx)
                if counting.counts_of(tx, client_no) != counts:
                    break  # others are kept by now; the next sweep adds those up too
                segments.retire(tx, old, now)
                rows.add_retired(tx, client_no, tallies, counters)
        except segments.Replaced:
            break  # compacted meanwhile; the next sweep finds the new file
        count += len(old)
        _settle(tools.records, client_no, min(before, now - LONGEST_WINDOW), zone)
    return count


def _sums(
    tools: Tools, old: Sequence[Segment], zone: tzinfo, counts: set[Count]
) -> tuple[Counter[tuple[str, str]], dict[CounterKey, int]]:
    with (
        segment_files.all_sound(tools.blobs, old, tools.scratch) as files,
        segment_files.query(tools.scratch, memory_mb=_MEMORY_MB, threads=1) as duck,
    ):
        folding.load(duck, files)
        tallies = Counter({told[:2]: told[2] for told in folding.told(duck)})
        of_jobs = folded_jobs(folding.taken_of_jobs(duck, old, zone, counts), counts)
        return tallies, folded(folding.taken(duck, old, zone)) | of_jobs


def _settle(records: Records, client_no: int, before: Instant, zone: tzinfo) -> None:
    """Forget counters of periods that are long over and of which no entry is left, on both sides:
    no event can be dated into them any more. What a crash leaves goes the next time.
    """
    ended = {key[0]: key for key in period_keys(day_of(before, zone))}
    with records.read() as tx:
        counters, retired = rows.counters_of(tx, client_no), rows.retired_counters(tx, client_no)
    over = [
        key for key, value in retired.items()
        if key.period != _LIFETIME and key.period < ended[key.period[0]]
        and counters.get(key) == value
    ]  # fmt: skip
    records.in_parts(over, rows.drop_counters)


def forget(tools: Tools, now: Instant) -> None:
    """Drop clicks, visits, departures, counts and identities that can decide about nothing more."""
    kept = max(tools.settings.retention_days * DAY, LONGEST_WINDOW)
    for forgotten, before in (
        (rows.forget_clicks, now - LONGEST_WINDOW),
        (rows.forget_visits, now - VISITS_KEPT),
        (rows.forget_keys, now - kept),
        (address_days.forget, now - ADDRESS_DAYS_KEPT),
        (listings.forget_departures, now - kept - DAY),
    ):
        tools.records.in_steps(_older(forgotten, before))


def _older(
    forgotten: Callable[[Tx, Instant, int], int], before: Instant
) -> Callable[[Tx, int], int]:
    return lambda tx, most: forgotten(tx, before, most)
