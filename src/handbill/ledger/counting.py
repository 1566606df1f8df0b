"""Counters of single jobs: created when a cap comes into force, from what the ledger already holds,
and deleted when it is no longer in force.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import groupby
from logging import getLogger
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.core.charging import (
    CounterKey,
    Limit,
    Uses,
    by_measure,
    compared_on,
    keyed,
    unkeyed,
)
from handbill.core.closing import first_open
from handbill.core.job_caps import (
    Count,
    TakenOfJob,
    count_of,
    counters_under,
    folded_jobs,
    owners_of,
)
from handbill.core.received import ReceivedClick, ReceivedConversion
from handbill.kit.instants import Instant
from handbill.kit.zones import QUARTER, day_of, zone_of
from handbill.ledger import counter_rows, folding
from handbill.ledger.terms import ClientTerms
from handbill.store import segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.records import Tx, tables
from handbill.store.records.base import Listed, among
from handbill.store.segments import Segment

_MEMORY_MB = 256
_OWNERS_AT_ONCE = 5_000
_FEW = 200  # counts of a client
_t = tables.job_counts.c
_ALL = sa.select(_t.scope, _t.owner, _t.measure).where(_t.client_no == b("client_no"))
_OF_OWNERS = _ALL.where(among(_t.owner, "owners"))
_ANY = _ALL.limit(b("most", type_=sa.Integer))
_DROP = sa.delete(tables.job_counts).where(
    _t.client_no == b("client_no"),
    _t.owner == b("owner"),
    _t.scope == b("scope"),
    _t.measure == b("measure"),
)
_log = getLogger("handbill.ledger")
AtJob = tuple[int, int, bytes]
"""Job group, publisher and job."""
OfJobs = Mapping[AtJob, tuple[Limit, ...]]
"""The limits of jobs by place."""


@dataclass(slots=True)
class Counted:
    """The changes of a batch to the counters that are kept. ``found``: those that begin, with the
    ledger's sums, read from the files at ``paths``. ``unkept``: those that would begin if all files
    were sound: they are added up again for each batch until then.
    """

    begun: dict[int, set[Count]] = field(default_factory=dict)
    ended: dict[int, set[Count]] = field(default_factory=dict)
    unkept: dict[int, set[Count]] = field(default_factory=dict)
    found: dict[CounterKey, int] = field(default_factory=dict)
    paths: set[str] = field(default_factory=set)
    owner_of: dict[CounterKey, int] = field(default_factory=dict)


class Counting:
    """Compares, for each batch, the jobs with caps and the jobs that are counted."""

    def __init__(self, blobs: Blobs, scratch: Path) -> None:
        self._blobs = blobs
        self._scratch = scratch
        self._told: set[str] = set()

    def read(
        self,
        tx: Tx,
        terms: Mapping[int, ClientTerms],
        at_jobs: Mapping[int, Iterable[AtJob]],
        of_jobs: Mapping[int, OfJobs],
    ) -> Counted:
        """The changes for a batch with events of these jobs."""
        counted = Counted()
        for client_no, some in at_jobs.items():
            own = terms.get(client_no)
            wanted = _wanted(own, of_jobs.get(client_no, {}))
            kept = _kept(tx, client_no, some)
            if ended := kept - wanted:
                counted.ended[client_no] = ended
            assert own is not None or not wanted, "only who has terms has limits"
            if begun := wanted - kept:
                counted.begun[client_no] = begun
        if counted.begun:
            zones = {client_no: zone_of(terms[client_no].zone) for client_no in counted.begun}
            self._begin(tx, counted, zones)
        return counted

    def _begin(self, tx: Tx, counted: Counted, zones: Mapping[int, tzinfo]) -> None:
        written = segments.with_parts(tx, segments.segments_of_any(tx, counted.begun))
        listed = [one.segment for one in written]
        counted.paths = {segment.path for segment in listed}
        taken: list[TakenOfJob] = []
        ailing: set[int] = set()
        if listed:
            with segment_files.sound_files(self._blobs, listed, self._scratch) as (sound, ails):
                self._tell(ails)
                paths = {segment.path for segment, _ in sound}
                ailing = segments.clients_in(it for it in written if it.segment.path not in paths)
                if sound:
                    taken = self._taken(sound, zones, counted)
        for client_no in ailing & counted.begun.keys():
            counted.unkept[client_no] = counted.begun.pop(client_no)
        every = {**counted.begun, **counted.unkept}
        for client_no, some in groupby(sorted(taken), key=lambda one: one.client_no):
            counters = folded_jobs(some, every[client_no])
            assert all(value > 0 for value in counters.values()), "a counter is never negative"
            counted.found |= counters
            if client_no in counted.begun:
                counted.owner_of |= dict.fromkeys(counters, client_no)

    def _taken(
        self, sound: Sequence[tuple[Segment, str]], zones: Mapping[int, tzinfo], counted: Counted
    ) -> list[TakenOfJob]:
        counts = [count for begun in counted.begun.values() for count in begun]
        with segment_files.query(self._scratch, memory_mb=_MEMORY_MB, threads=1) as duck:
            folding.load(duck, [file for _, file in sound], zones)
            readable = [segment for segment, _ in sound]
            return list(folding.taken_of_jobs(duck, readable, zones, counts))

    def _tell(self, ails: list[str]) -> None:
        """Raise the alarm, once for each damaged file."""
        for ail in ails:
            if ail not in self._told:
                _log.error(
                    "%s; until it is mended, caps of jobs that came into force since count only "
                    "what can be read",
                    ail,
                )
                self._told.add(ail)


def put(tx: Tx, counted: Counted) -> bool:
    """Apply the changes; False if the ledger is no longer what was read."""
    begun = (*counted.begun, *counted.unkept)
    listed = segments.segments_of_any(tx, begun) if begun else []
    if {one.path for one in listed} != counted.paths:
        return False
    for client_no, ended in counted.ended.items():
        assert not ended & counted.begun.get(client_no, set()), "what begins does not end"
        held = (
            *counter_rows.counters_of(tx, client_no),
            *counter_rows.retired_counters_of(tx, client_no),
        )
        counter_rows.drop_counters(tx, sorted(set(counters_under(held, ended))))
        tx.run_text_many(
            tx.dialect.text_of(_DROP),
            [{"client_no": client_no, **count._asdict()} for count in sorted(ended)],
        )
    tx.put_many(
        tables.job_counts,
        [
            {"client_no": client_no, **count._asdict()}
            for client_no, some in counted.begun.items()
            for count in sorted(some)
        ],
    )
    begun_with: dict[int, dict[CounterKey, int]] = {}
    for key, client_no in counted.owner_of.items():
        begun_with.setdefault(client_no, {})[key] = counted.found[key]
    begun_with_uses = ((no, unkeyed(own)) for no, own in begun_with.items())
    counter_rows.add_counters(tx, counter_rows.rows_of(begun_with_uses))
    return True


def kept(counted: Counted, client_no: int, uses: Uses) -> Uses:
    """What a batch adds to the counters that are kept."""
    if client_no not in counted.unkept:
        return uses
    every = keyed(uses)
    unkept = set(counters_under(every, counted.unkept[client_no]))
    return unkeyed({key: value for key, value in every.items() if key not in unkept})


def at_job(event: ReceivedClick | ReceivedConversion) -> AtJob:
    """The job of an event, and its place."""
    return event.group_no, event.publisher_no, event.job_id


def compared(
    terms: ClientTerms, of_jobs: OfJobs, stamps: Iterable[Instant], now: Instant
) -> set[CounterKey]:
    """The counters that a client's caps are compared with, for events with these stamps."""
    zone = zone_of(terms.zone)
    open_at = first_open(now, zone)
    quarters = {at // QUARTER for at in stamps}
    days = {day_of(max(quarter * QUARTER, open_at), zone) for quarter in quarters}
    keys: set[CounterKey] = set()
    for day in days:
        for limits in (*terms.limits.values(), *of_jobs.values()):
            for key, _, _, reserved in compared_on(limits, day):
                keys.add(key)
                if reserved:
                    keys.update(other for other, _ in reserved)
    assert all(key.entity for key in keys), "a cap stands on an entity"
    return keys


def counts_of(tx: Tx, client_no: int) -> set[Count]:
    """All counts of a client's jobs."""
    return {Count(*row) for row in tx.all(_ALL, client_no=client_no)}


def counts_of_each(tx: Tx, client_nos: Iterable[int]) -> dict[int, set[Count]]:
    """All counts of each client's jobs."""
    return {client_no: counts_of(tx, client_no) for client_no in client_nos}


def _wanted(terms: ClientTerms | None, limits: OfJobs) -> set[Count]:
    """The counts that these limits need. Those of every job of a group are the same for each."""
    if terms is None or not limits:
        return set()
    groups = {group_no for group_no, _, _ in limits} & terms.each_job.keys()
    wanted = {
        Count("group_job", f"{group_no}", measure)
        for group_no in groups
        for measure, _ in by_measure(terms.each_job[group_no])
    }
    if any(job_id in terms.jobs for _, _, job_id in limits):
        wanted.update(count_of(limit) for of_job in limits.values() for limit in of_job)
    return wanted


def _kept(tx: Tx, client_no: int, some: Iterable[AtJob]) -> set[Count]:
    """The counts of these jobs, of which most clients have few."""
    first = [Count(*row) for row in tx.all(_ANY, client_no=client_no, most=_FEW)]
    assert len(first) <= _FEW, "no more is read than is asked for"
    if not first:
        return set()
    if len(first) < _FEW and all(count.scope == "group_job" for count in first):
        groups = {f"{group_no}" for group_no, _, job_id in some if job_id}
        return {count for count in first if count.owner in groups}
    owners = {
        owner
        for group_no, publisher_no, job_id in some
        if job_id
        for owner in owners_of(group_no, publisher_no, job_id.hex())
    }
    if len(first) == _FEW:
        return _of_owners(tx, client_no, owners)
    return {count for count in first if count.owner in owners}


def _of_owners(tx: Tx, client_no: int, owners: set[str]) -> set[Count]:
    ordered: Sequence[str] = sorted(owners)
    return {
        Count(*row)
        for at in range(0, len(ordered), _OWNERS_AT_ONCE)
        for row in tx.all(
            _OF_OWNERS, client_no=client_no, owners=Listed(ordered[at : at + _OWNERS_AT_ONCE])
        )
    }
