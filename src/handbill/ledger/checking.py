"""Whether the books balance: what was received against what became of it, counters and tallies
against a fold of the segments, files against the manifest, spend against the caps.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.charging import (
    CounterKey,
    Limit,
    entities_of,
    folded,
    period_keys,
)  # fmt: skip
from handbill.core.job_caps import Count, TakenOfJob, entities_of_job, folded_jobs
from handbill.core.judging import ENTRY_DISPOSITIONS, KINDS, PARKED, balance_of
from handbill.core.nouns import Client
from handbill.groups.service import groups_by_number
from handbill.jobs.service import changed_at as jobs_changed_at
from handbill.kit.zones import PERIODS, start_of, zone_of
from handbill.ledger import counting, folding, rows
from handbill.ledger.runs import RECEIVED, REDELIVERED
from handbill.ledger.terms import Terms, read_terms
from handbill.store import marks, segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.journal_folder import gaps
from handbill.store.records import Records
from handbill.store.segments import Segment

MOST_FAULTS = 1_000
_MEMORY_MB = 512
_THREADS = 2
_TOTALS = ("charge_micros", "spend_micros", "marked_micros")


@dataclass(slots=True)
class Books:
    """``sums`` by name, over all clients; ``faults``: what does not balance, said plainly."""

    sums: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    @property
    def balanced(self) -> bool:
        return not self.faults

    def blame(self, fault: str) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(fault)


class _Moment(NamedTuple):
    """One client's side of the books, all read at one moment."""

    client_no: int
    client: Client | None
    segments: list[Segment]
    tallies: dict[tuple[str, str], int]
    counters: dict[CounterKey, int]
    parked: dict[str, int]
    retired: dict[tuple[str, str], int]
    retired_counters: dict[CounterKey, int]
    counts: set[Count]


def check(records: Records, blobs: Blobs, scratch: Path, journal: Path | None = None) -> Books:
    """Check every client's books, and that the journal (where its folder is given) holds what is
    not judged yet; safe beside a running judge, for each is read at one moment.
    """
    books = Books()
    with records.read() as tx:
        nos = sorted({*rows.tallied_clients(tx), *segments.clients_with_entries(tx)})
        for gap in gaps(journal, marks.read(tx).of) if journal else ():
            books.blame(gap)
    with segment_files.query(scratch, memory_mb=_MEMORY_MB, threads=_THREADS) as duck:
        for client_no in nos:
            with records.read() as tx:
                moment = _Moment(
                    client_no,
                    clients_by_number(tx, [client_no]).get(client_no),
                    segments.segments_of(tx, client_no),
                    rows.tallies_of(tx, client_no),
                    rows.counters_of(tx, client_no),
                    rows.parked_counts(tx, client_no),
                    rows.retired_tallies(tx, client_no),
                    rows.retired_counters(tx, client_no),
                    counting.counts_of(tx, client_no),
                )
            _check_received(moment, books)
            _check_client(records, blobs, duck, scratch, moment, books)
    books.sums["clients"] = len(nos)
    books.sums["faults"] = len(books.faults)
    return books


def _check_client(
    records: Records, blobs: Blobs, duck: duckdb.DuckDBPyConnection, scratch: Path,
    moment: _Moment, books: Books,
) -> None:  # fmt: skip
    zone = zone_of(moment.client.zone if moment.client else "UTC")
    taken: list[folding.Taken] = []
    of_jobs: list[TakenOfJob] = []
    entries: dict[tuple[str, str], int] = {}
    if moment.segments:
        if not _load(blobs, duck, scratch, moment, books):
            return  # what the entries add up to is not known
        _check_entries(duck, moment, books)
        entries = _entries(duck, books)
        taken = list(folding.taken(duck, moment.segments, zone))
        of_jobs = list(folding.taken_of_jobs(duck, moment.segments, zone, moment.counts))
    books.sums["retired"] += sum(moment.retired.values())
    entries = _with(entries, moment.retired)
    _compare(moment, "tally", _told(moment.tallies), entries, books)
    counters = {key: value for key, value in moment.counters.items() if value}
    of_entries = folded(taken) | folded_jobs(of_jobs, moment.counts)
    every = _with(of_entries, moment.retired_counters)
    _compare(moment, "counter", counters, every, books)
    _check_caps(records, moment, taken, of_jobs, books)


def _check_received(moment: _Moment, books: Books) -> None:
    """Received is all that became of it, and what is parked is in the table of parked ones."""
    for kind in KINDS:
        told = {what: value for (of, what), value in moment.tallies.items() if of == kind}
        received = told.pop(RECEIVED, 0)
        told.pop(REDELIVERED, None)
        books.sums[RECEIVED] += received
        for what, value in told.items():
            books.sums[what] += value
        if short := balance_of(received, told.items()):
            books.blame(f"client {moment.client_no}: {kind}: {short} received came to nothing")
        if told.get(PARKED, 0) != moment.parked.get(kind, 0):
            books.blame(
                f"client {moment.client_no}: {kind}: {told.get(PARKED, 0)} are said to be parked, "
                f"{moment.parked.get(kind, 0)} are"
            )


def _told(tallies: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return {key: value for key, value in tallies.items() if key[1] in ENTRY_DISPOSITIONS and value}


def _load(
    blobs: Blobs, duck: duckdb.DuckDBPyConnection, scratch: Path, moment: _Moment, books: Books
) -> bool:
    """Prove every file of a client, and read them all; False when one is not as listed."""
    with segment_files.sound_files(blobs, moment.segments, scratch) as (pairs, ails):
        for ail in ails:
            books.blame(f"client {moment.client_no}: {ail}")
        if ails:
            return False
        try:
            folding.load(duck, [file for _, file in pairs])
        except duckdb.Error as unreadable:
            books.blame(f"client {moment.client_no}: the entries cannot be read: {unreadable}")
            return False
        _check_totals(duck, pairs, moment, books)
    return True


def _check_totals(
    duck: duckdb.DuckDBPyConnection, pairs: list[tuple[Segment, str]], moment: _Moment, books: Books
) -> None:
    """Every file's entries are as many, as old and as dear as the manifest says."""
    found = duck.execute(
        'SELECT filename, count(*), min("at"), max("at"), min(client_no), max(client_no), '
        f"{', '.join(f'sum({name})' for name in _TOTALS)} FROM entries GROUP BY filename"
    ).fetchall()
    by_name = {row[0]: row[1:] for row in found}
    for segment, file in pairs:
        listed = (
            segment.rows, segment.first_at, segment.last_at, moment.client_no, moment.client_no,
            *(int(segment.totals[name]) for name in _TOTALS),
        )  # fmt: skip
        if by_name.get(file) != listed:
            books.blame(
                f"client {moment.client_no}: segment {segment.path} differs from the manifest"
            )


def _check_entries(duck: duckdb.DuckDBPyConnection, moment: _Moment, books: Books) -> None:
    """No entry is there twice, and none is charged that may not be."""
    for text, what in (
        ("SELECT count(*) - count(DISTINCT id) FROM entries", "entries are there twice"),
        (_UNEARNED, "entries that do not count are charged"),
        (folding.MISMARKED, "entries are not marked up as they say"),
        (folding.MISCONVERTED, "entries are not converted at the rates that they name"),
    ):
        row = duck.execute(text).fetchone()
        assert row is not None, "an aggregate has a row"
        if row[0]:
            books.blame(f"client {moment.client_no}: {row[0]} {what}")


_UNEARNED = (
    "SELECT count(*) FROM entries WHERE (charge_micros != 0 OR spend_micros != 0 "
    f"OR marked_micros != 0) AND disposition NOT IN ({folding.ROOM})"
)


def _entries(duck: duckdb.DuckDBPyConnection, books: Books) -> dict[tuple[str, str], int]:
    found = folding.told(duck)
    for _, _, count, charge, spend, marked in found:
        books.sums["entries"] += count
        books.sums["chargeMicros"] += charge
        books.sums["spendMicros"] += spend
        books.sums["markedUpMicros"] += marked
    return {told[:2]: told[2] for told in found}


def _with(entries: Mapping[Any, int], retired: Mapping[Any, int]) -> dict[Any, int]:
    """What the entries say, those that are retired included."""
    return dict(Counter(entries) + Counter(retired))


def _compare(
    moment: _Moment, noun: str, told: Mapping[Any, int], fold: Mapping[Any, int], books: Books
) -> None:
    """Both sides, key by key; nothing may be on one side only."""
    for key in sorted(told.keys() | fold.keys()):
        if told.get(key, 0) != fold.get(key, 0):
            books.blame(
                f"client {moment.client_no}: {noun} {' '.join(key)} says {told.get(key, 0)}, "
                f"the entries say {fold.get(key, 0)}"
            )


def _check_caps(
    records: Records, moment: _Moment, taken: list[folding.Taken], of_jobs: list[TakenOfJob],
    books: Books,
) -> None:  # fmt: skip
    """No cap is passed, as far as can be told: only one that stood unchanged since its period's
    first event can be held against it, for a cap may be lowered below what is spent.
    """
    places = {place for place, _, _ in taken}
    if not places:
        return
    zone = zone_of(moment.client.zone if moment.client else "UTC")
    ats = {(one.group_no, one.publisher_no, bytes.fromhex(one.job_id)) for one in of_jobs}
    ids = {job_id for _, _, job_id in ats}
    with records.read() as tx:
        terms = read_terms(tx, places, jobs=ids).get(moment.client_no)
        changed = {
            **{("client", f"{no}"): it.updated_at
               for no, it in clients_by_number(tx, [moment.client_no]).items()},
            **{("campaign", f"{no}"): it.updated_at
               for no, it in campaigns_by_number(tx, (p.campaign_no for p in places)).items()},
            **{("group", f"{no}"): it.updated_at
               for no, it in groups_by_number(tx, (p.group_no for p in places)).items()},
            **{("job", id_): at
               for id_, at in jobs_changed_at(tx, sorted({one.job_id for one in of_jobs})).items()},
        }  # fmt: skip
    firsts = _first_days(taken, of_jobs)
    for limit in _limits(terms, ats):
        changed_at = changed[_OWNER[limit.scope], limit.entity.partition("/")[0]]
        for period, first in firsts.get((limit.scope, limit.entity, limit.period), {}).items():
            key = CounterKey(limit.scope, limit.entity, limit.measure, period)
            if key in moment.retired_counters:
                continue  # its first event is not known any more
            used = moment.counters.get(key, 0)
            if used > limit.most and changed_at < start_of(first, zone):
                books.blame(
                    f"client {moment.client_no}: {limit.scope} {limit.entity} used {used} of its "
                    f"{limit.period} cap of {limit.most} {limit.measure} in {period}"
                )


_OWNER = {
    "client": "client", "campaign": "campaign", "campaign_placement": "campaign", "group": "group",
    "placement": "group", "group_job": "group", "job": "job", "job_placement": "job",
}  # fmt: skip


def _limits(terms: Terms | None, ats: set[counting.AtJob]) -> set[Limit]:
    if terms is None:
        return set()
    limits = {limit for limits in terms.limits.values() for limit in limits}
    return limits | {limit for at in ats for limit in terms.of_job(*at)}


def _first_days(
    taken: list[folding.Taken], of_jobs: list[TakenOfJob]
) -> dict[tuple[str, str, str], dict[str, date]]:
    """The first day with an event of each period, by scope, entity and kind of period."""
    firsts: dict[tuple[str, str, str], dict[str, date]] = {}
    at = [(entity, day) for place, day, _ in taken for entity in entities_of(place)]
    at += [((it[0], it[2]), one.day) for one in of_jobs for it in entities_of_job(one)]
    for (scope, entity), day in at:
        for kind, key in zip(PERIODS, period_keys(day), strict=True):
            known = firsts.setdefault((scope, entity, kind), {})
            known[key] = min(day, known.get(key, day))
    return firsts
