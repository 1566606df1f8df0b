"""Whether the books balance: what was received against its results, counters and tallies against
the sums of the segments, files against the manifest, spend against the caps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

import duckdb

from handbill.core.charging import folded
from handbill.core.job_caps import TakenOfJob, folded_jobs
from handbill.kit.instants import DAY, moment_of
from handbill.ledger import folding, rows
from handbill.ledger.books import (
    Books,
    ClientBooks,
    as_sealed,
    books_of,
    check_received,
    compare,
    compare_days,
    told_by_tallies,
    with_retired,
)
from handbill.ledger.cap_check import ClientUse, passed
from handbill.store import asides, marks, segment_files, segments
from handbill.store.blobs import Blobs
from handbill.store.journal_folder import gaps
from handbill.store.records import Records, Tx
from handbill.store.segments import Segment, WrittenSegment

_MEMORY_MB = 512
_THREADS = 2
_MOST_ENTRIES = 4_000_000  # that are checked at a time
_MOST_CLIENTS = 2_000
_DAYS_COMPARED = 62 * DAY
_TOTALS = ("charge_micros", "spend_micros", "marked_micros")


@dataclass(slots=True)
class _Entries:
    """The sums of one client's entries."""

    told: dict[tuple[str, str], int] = field(default_factory=dict)
    taken: list[folding.Taken] = field(default_factory=list)
    of_jobs: list[TakenOfJob] = field(default_factory=list)
    days: dict[str, list[int]] = field(default_factory=dict)


class _Check:
    """Checks the books, some clients at a time."""

    def __init__(
        self,
        records: Records,
        blobs: Blobs,
        duck: duckdb.DuckDBPyConnection,
        scratch: Path,
        since_on: str,
    ) -> None:
        self.books = Books()
        self._records = records
        self._blobs = blobs
        self._duck = duck
        self._scratch = scratch
        self._proved: set[str] = set()
        self._since_on = since_on

    def some(self, client_nos: list[int]) -> None:
        """Check these clients' books, as they are at one moment."""
        with self._records.read() as tx:
            written = segments.with_parts(tx, segments.segments_of_any(tx, client_nos))
            moments = books_of(tx, client_nos, self._since_on)
        for moment in moments:
            check_received(moment, self.books)
        entries = {client_no: _Entries() for client_no in client_nos}
        for client_no in self._read(written, moments, entries):
            del entries[client_no]  # the sums of its entries are not known
        for moment in moments:
            if (own := entries.get(moment.client_no)) is not None:
                self._compare(moment, own)

    def _read(
        self,
        written: list[WrittenSegment],
        moments: list[ClientBooks],
        entries: dict[int, _Entries],
    ) -> set[int]:
        """Add up the entries; returns the clients of which some entries cannot be read."""
        if not written:
            return set()
        listed = [segment for segment, _ in written]
        with segment_files.sound_files(self._blobs, listed, self._scratch) as (sound, ails):
            for ail in ails:
                self.books.blame(ail)
            paths = {segment.path for segment, _ in sound}
            damaged = (it for it in written if it.segment.path not in paths)
            ailing = segments.clients_in(damaged) & entries.keys()
            files = [file for _, file in sound]
            zones = {it.client_no: it.zone for it in moments if it.client_no not in ailing}
            if not files or not zones:
                return ailing
            try:
                self._check_totals(sound)
                folding.load(self._duck, files, zones)
            except duckdb.Error as unreadable:
                self.books.blame(f"the entries cannot be read: {unreadable}")
                return set(entries)
            self._check_parts(written, sound, zones)
        self._check_entries()
        self._add_up([segment for segment, _ in sound], moments, zones, entries)
        return ailing

    def _check_totals(self, sound: list[tuple[Segment, str]]) -> None:
        """The number, age and amounts of every file's entries are those in the manifest."""
        new = [(segment, file) for segment, file in sound if segment.path not in self._proved]
        if not new:
            return
        answer = self._duck.execute(
            'SELECT filename, count(*), min("at"), max("at"), '
            f"{', '.join(f'sum({name})' for name in _TOTALS)} "
            f"FROM {segment_files.source([file for _, file in new], None)} GROUP BY filename"
        ).fetchall()
        by_name = {row[0]: row[1:] for row in answer}
        for segment, file in new:
            listed = (
                segment.rows,
                segment.first_at,
                segment.last_at,
                *(int(segment.totals[name]) for name in _TOTALS),
            )
            if by_name.get(file) != listed:
                self.books.blame(f"segment {segment.path} differs from the manifest")
            self._proved.add(segment.path)

    def _check_parts(
        self,
        written: list[WrittenSegment],
        sound: list[tuple[Segment, str]],
        zones: dict[int, tzinfo],
    ) -> None:
        """Every file holds for each client what the manifest says."""
        answer = self._duck.execute(
            'SELECT filename, client_no, count(*), min("at"), max("at") FROM entries GROUP BY ALL'
        ).fetchall()
        held = {row[:2]: row[1:] for row in answer}
        file_of = {segment.path: file for segment, file in sound}
        listed = {
            (file_of[segment.path], part.client_no): tuple(part)
            for segment, parts in written
            if segment.path in file_of
            for part in parts
            if part.client_no in zones
        }
        path_of = {file: path for path, file in file_of.items()}
        for file, client_no in sorted(held.keys() | listed.keys()):
            if held.get((file, client_no)) != listed.get((file, client_no)):
                self.books.blame(
                    f"client {client_no}: segment {path_of[file]} does not hold what is listed"
                )

    def _check_entries(self) -> None:
        """No entry exists twice, and none is charged that must not be."""
        sums = ", ".join(_BAD.values())
        bad = self._duck.execute(
            f"SELECT client_no, {sums} FROM entries GROUP BY ALL ORDER BY client_no"
        ).fetchall()
        for place, what in enumerate(_BAD, 1):
            for row in bad:
                if row[place]:
                    self.books.blame(f"client {row[0]}: {row[place]} {what}")

    def _add_up(
        self,
        listed: list[Segment],
        moments: list[ClientBooks],
        zones: dict[int, tzinfo],
        entries: dict[int, _Entries],
    ) -> None:
        sums = self.books.sums
        for client_no, kind, what, count, charge, spend, marked in folding.folded_sums(self._duck):
            sums["entries"] += int(count)
            sums["chargeMicros"] += charge
            sums["spendMicros"] += spend
            sums["markedUpMicros"] += marked
            entries[client_no].told[kind, what] = int(count)
        for one in folding.taken(self._duck, listed, zones):
            entries[one[0].client_no].taken.append(one)
        for client_no, day_on, amounts in folding.come_to(self._duck, listed, zones):
            entries[client_no].days[day_on] = amounts
        counts = [count for moment in moments for count in moment.counts]
        for of_job in folding.taken_of_jobs(self._duck, listed, zones, counts):
            entries[of_job.client_no].of_jobs.append(of_job)

    def _compare(self, moment: ClientBooks, own: _Entries) -> None:
        books = self.books
        books.sums["retired"] += sum(moment.retired.values())
        tallies = with_retired(own.told, moment.retired)
        compare(moment, "tally", told_by_tallies(moment.tallies), tallies, books)
        of_entries = folded(own.taken) | folded_jobs(own.of_jobs, moment.counts)
        every = with_retired(of_entries, moment.retired_counters)
        compare(moment, "counter", moment.counters, as_sealed(every, moment.counters), books)
        compare_days(moment, own.days, self._since_on, books)
        held = ClientUse(moment.client_no, moment.zone, own.taken, own.of_jobs)
        for fault in passed(self._records, held, every, moment.retired_counters):
            books.blame(fault)


def check(
    records: Records,
    blobs: Blobs,
    scratch: Path,
    journal: Path | None = None,
) -> Books:
    """Check every client's books, and that the journal (if its folder is given) holds everything
    that is not yet judged. Safe beside a running judge: each client is read at one moment.
    """
    with segment_files.query(scratch, memory_mb=_MEMORY_MB, threads=_THREADS) as duck:
        with records.read() as tx:
            judged_at = marks.read(tx).judged_at
        since_on = moment_of(max(0, judged_at - _DAYS_COMPARED)).date().isoformat()
        it = _Check(records, blobs, duck, scratch, since_on)
        with records.read() as tx:
            entries = segments.rows_of_clients(tx)
            nos = sorted({*rows.tallied_clients(tx), *entries})
            for path in segments.not_parted(tx):
                it.books.blame(f"entries of segment {path} are of no client")
            for gap in gaps(journal, marks.read(tx).of) if journal else ():
                it.books.blame(gap)
            _check_asides(tx, it.books)
        for some in _parts(nos, entries):
            it.some(some)
    it.books.sums["clients"] = len(nos)
    it.books.sums["faults"] = len(it.books.faults)
    return it.books


def _parts(nos: list[int], entries: Mapping[int, int]) -> Iterator[list[int]]:
    """Clients that are checked together: as many as do not have too many entries."""
    some: list[int] = []
    held = 0
    for no in nos:
        if some and (held + entries.get(no, 0) > _MOST_ENTRIES or len(some) == _MOST_CLIENTS):
            yield some
            some, held = [], 0
        some.append(no)
        held += entries.get(no, 0)
    if some:
        yield some


def _check_asides(tx: Tx, books: Books) -> None:
    """No events wait because the judge could not judge their client."""
    counts = asides.counts(tx)
    for one in asides.every(tx):
        books.blame(
            f"client {one.client_no}: {counts.get(one.client_no, 0)} events are set aside, as they "
            f"cannot be judged: {one.reason}"
        )


_UNEARNED = (
    "(charge_micros != 0 OR spend_micros != 0 OR marked_micros != 0) "
    f"AND disposition NOT IN ({folding.ROOM})"
)
_BAD = {
    "entries are there twice": "count(*) - count(DISTINCT id)",
    "entries are taken back twice": (
        "count(*) FILTER (sign < 0) - count(DISTINCT corrects) FILTER (sign < 0)"
    ),
    "entries that do not count are charged": f"count(*) FILTER ({_UNEARNED})",
    "entries are not marked up as they say": f"count(*) FILTER ({folding.MISMARKED})",
    "entries are not converted at the rates that they name": (
        f"count(*) FILTER ({folding.MISCONVERTED})"
    ),
}
