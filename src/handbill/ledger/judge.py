"""The judge: reads the journal in order, and books each batch in one records transaction.

A batch is read and judged from one moment's state. Its segments are written and synced. Then one
transaction, holding the fence, checks that nobody else booked meanwhile and that the caps are
unchanged. It moves marks, counters, tallies, clicks, identities and the manifest together. After a
crash at any point, the batch is booked as a whole or not at all.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir
from threading import Event
from typing import Protocol

from handbill.core.entries import Entry
from handbill.funnel import service as funnel
from handbill.host.clock import Clock
from handbill.host.garbage import undisturbed
from handbill.host.ids import Ids
from handbill.host.locating import nowhere
from handbill.kit.faults import Unavailable
from handbill.kit.instants import HOUR, MINUTE, Instant
from handbill.ledger import (
    address_days,
    apply_ages,
    counter_rows,
    counting,
    daily_sums,
    gathering,
    hires,
    purchases,
    rows,
    traffic,
    waking,
)
from handbill.ledger.arriving import Step, in_step
from handbill.ledger.batches import Batch
from handbill.ledger.booking import ClientRun
from handbill.ledger.classing import FactFinder
from handbill.ledger.counting import Counting
from handbill.ledger.quarantining import DamageAlarm
from handbill.ledger.runs import Added, Rules
from handbill.ledger.tellings import Recorder
from handbill.ledger.terms import Basis, Places, read_basis, terms_of
from handbill.listings import copies
from handbill.postings import spending
from handbill.store import asides, holds, marks, segments
from handbill.store.asides import Aside
from handbill.store.blobs import Blobs
from handbill.store.journal_streams import JournalReading, StreamMark
from handbill.store.records import Records, Tx
from handbill.store.records.mapper import KnownNouns
from handbill.store.segments import WrittenSegment

_log = logging.getLogger("handbill.ledger")
MOST_EVENTS = 20_000  # of a batch; the line that exceeds it is still taken as a whole
_LEAST_EVENTS = 100
_LEAST_LINES = 16
_FEW_EVENTS = 1_000  # after a smaller batch, wait for more before the next
_MOST_NOUNS = 40_000  # that are remembered
_STALE = 10 * MINUTE  # far less than the age at which an unlisted file is swept
MOST_ASIDE = 20  # clients; a fault of more of them is not theirs
AGAIN_AFTER = HOUR
_IDLE_SECONDS = 0.1
_RETRY_SECONDS = 2.0


class JudgeJournal(Protocol):
    """What the judge needs from a journal (see store.journal.JournalReader)."""

    def read(self, marks: dict[str, StreamMark], most: int, now: Instant) -> JournalReading: ...

    def purge(self, marks: dict[str, StreamMark]) -> int: ...


class Outrun(Exception):
    """Another judge booked first, or a cap changed, while this batch was judged: nothing of it is
    booked, and it is judged again.
    """


class Judge:
    """Books what the journal holds. One works at a time; a second one is outrun, without harm."""

    def __init__(
        self,
        records: Records,
        blobs: Blobs,
        journal: JudgeJournal,
        clock: Clock,
        ids: Ids,
        rules: Rules,
        scratch: Path | None = None,
    ) -> None:
        self._records = records
        self._blobs = blobs
        self._journal = journal
        self._clock = clock
        self._ids = ids
        self._rules = rules
        self._counting = Counting(blobs, scratch or Path(gettempdir()))
        self._finder = FactFinder(
            rules.key,
            blobs,
            rules.honoured,
            rules.kept,
            rules.stale,
            locates=rules.locate is not nowhere,
        )
        self._told = Recorder()
        self._nouns = KnownNouns(_MOST_NOUNS)
        self._places: Places = {}
        self._most_events = MOST_EVENTS
        self._most_lines = _FEW_EVENTS
        self._alarm = DamageAlarm()
        with records.write() as tx:
            marks.make_fence(tx)

    def run(self, stop: Event, is_at_work: Callable[[], None] = lambda: None) -> None:
        """Judge until told to stop. An unavailable store is tried again; a bug ends the process.

        ``is_at_work`` is called before each batch.
        """
        while not stop.is_set():
            is_at_work()
            try:
                booked = self.step()
            except Unavailable as away:
                _log.error("cannot judge now: %s", away)
                stop.wait(_RETRY_SECONDS)
                continue
            if booked < _FEW_EVENTS:
                stop.wait(_IDLE_SECONDS)

    def step(self) -> int:
        """Book one batch. Returns its number of events, 0 if nothing waited or it was outrun."""
        with undisturbed():
            return self._step()

    def _step(self) -> int:
        try:
            batch = self._read()
            added = self._judged(batch)
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - raised again unless it concerns single clients
            self._set_aside(fault)
            return 0
        if batch.is_empty:
            return 0
        assert batch.judged_at <= batch.now, "nothing is judged before it has come"
        written = self._write(batch, added)
        try:
            with self._records.write() as tx:
                self._book(tx, batch, added, written)
                is_held = holds.stand(tx, self._clock.now())
        except Outrun:
            self._discard(written)
            self._most_events = max(_LEAST_EVENTS, self._most_events // 2)
            return 0
        self._told.kept()
        self._most_events = min(MOST_EVENTS, self._most_events * 2)
        if not is_held:
            self._journal.purge(batch.moved)
        return batch.events

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def _read(self) -> Batch:
        """What waits, and all that its judgement depends on, from one moment's records."""
        with self._records.read() as tx:
            batch = self._waiting(tx)
            batch.seen = tx.memory()
            self._look_up(tx, batch)
        return batch

    def _waiting(self, tx: Tx) -> Batch:
        now, former = self._clock.now(), marks.read(tx)
        reading = self._journal.read(former.of, self._most_lines, now)
        step = in_step(reading, self._most_events)
        self._alarm.tell(reading.damages)
        judged_at = min(former.judged_at, now)
        if not reading.damages:  # a damaged part may hold the click that others wait for
            judged_at = max(judged_at, min(now, now if step.until is None else step.until))
        batch = Batch(former, now, judged_at, judged_at - former.judged_at >= MINUTE)
        assert not reading.begun & former.of.keys(), "what begins has no mark"
        batch.moved.update((source, StreamMark(1, 0)) for source in reading.begun)
        gathering.gather(tx, batch, step.taken, self._rules.key)
        self._pace(len(reading.lines), step)
        return batch

    def _pace(self, lines: int, step: Step) -> None:
        """Adjust the number of lines to read: a line is one event or an array of up to 1,000."""
        if step.is_full:
            self._most_lines = max(_LEAST_LINES, len(step.taken))
        elif lines == self._most_lines:
            self._most_lines = min(MOST_EVENTS, self._most_lines * 2)

    def _look_up(self, tx: Tx, batch: Batch) -> None:
        gathering.note_places(batch)
        if not batch.arrivals and not batch.places:
            return
        batch.basis = self._basis(tx, batch)
        batch.terms = terms_of(batch.basis, self._places)
        batch.of_jobs = {
            client_no: {at: of_job for at in some if (of_job := terms.of_job(*at))}
            for client_no, some in batch.at_jobs.items()
            if (terms := batch.terms.get(client_no))
        }
        batch.counting = self._counting.read(tx, batch.terms, batch.at_jobs, batch.of_jobs)
        clicked = {
            no: [click.event for click in some.clicks] for no, some in batch.arrivals.items()
        }
        facts = self._finder.facts_of(tx, clicked, batch.terms, batch.now)
        gathering.look_up_former(tx, batch, facts)
        assert batch.known.keys() == batch.arrivals.keys(), "what is judged is looked up"

    def _basis(self, tx: Tx, batch: Batch) -> Basis:
        tx.nouns = self._nouns
        return read_basis(tx, batch.places, self._rules.otherwise, batch.jobs, batch.since)

    def _set_aside(self, fault: Exception) -> None:
        """Leave out clients that cannot be judged. **Refuses** a fault of none or too many."""
        now = self._clock.now()
        with self._records.read() as tx:
            batch = self._waiting(tx)
            by_client = {no: self._fault_of(tx, batch.of(no)) for no in sorted(batch.clients)}
            before = {one.client_no: one for one in asides.every(tx)}
        faults = {no: why for no, why in by_client.items() if why is not None}
        if not faults or len(before.keys() | faults.keys()) > MOST_ASIDE:
            raise fault
        assert batch.aside.isdisjoint(faults), "who is set aside is not judged"
        with self._records.write() as tx:
            if marks.hold_fence(tx) != batch.former.batches:
                return
            for no, why in faults.items():
                since = before[no].judged_at if no in before else batch.former.judged_at
                asides.put(tx, Aside(no, since, now + AGAIN_AFTER, f"{type(why).__name__}: {why}"))
        for no, why in faults.items():
            _log.error("client %d cannot be judged, and is set aside", no, exc_info=why)

    def _fault_of(self, tx: Tx, part: Batch) -> Exception | None:
        """Why a client's part of the batch cannot be judged; None: it can."""
        try:
            self._look_up(tx, part)
            self._judged(part)
        except Unavailable:
            raise
        except Exception as fault:  # noqa: BLE001 - reported by the caller
            return fault
        return None

    # ── judging and booking ─────────────────────────────────────────────────────────────────────

    def _judged(self, batch: Batch) -> dict[int, Added]:
        judged = {}
        for client_no, some in sorted(batch.arrivals.items()):
            terms = batch.terms.get(client_no)
            run = ClientRun(
                client_no, terms, batch.known[client_no], self._rules, batch.judged_at, batch.now
            )
            judged[client_no] = run.judge(some.clicks, some.conversions)
        for hire in batch.hires:
            terms = batch.terms.get(hire.client_no)
            added = judged.setdefault(hire.client_no, Added())
            hires.book(added, hire, terms, batch.now)
        for due in batch.dues:
            for share in due.shares:
                terms = batch.terms.get(share.client_no)
                added = judged.setdefault(share.client_no, Added())
                purchases.book(added, due, share, terms, batch.now)
        for client_no, added in judged.items():
            owners = {entry.client_no for entry in added.entries}
            assert owners <= {client_no}, "no client pays for another's"
        # Worked out here, not in the transaction that others wait for.
        batch.used = counter_rows.rows_of(
            (client_no, counting.kept(batch.counting, client_no, added.uses))
            for client_no, added in judged.items()
        )
        batch.days = daily_sums.rows_of(
            (batch.zone(no), added.entries) for no, added in judged.items()
        )
        return judged

    def _write(self, batch: Batch, judged: dict[int, Added]) -> list[WrittenSegment]:
        """Write and sync the segments: one for each month."""
        months: dict[str, list[Entry]] = {}
        for added in judged.values():
            for entry in added.entries:
                months.setdefault(segments.month_of(entry.at), []).append(entry)
        written = [
            segments.write(self._blobs, segments.path_of(month, batch.now, self._ids), entries)
            for month, entries in sorted(months.items())
        ]
        made = sum(len(added.entries) for added in judged.values())
        assert sum(one.segment.rows for one in written) == made, "every entry is in a segment"
        return written

    def _book(
        self, tx: Tx, batch: Batch, judged: dict[int, Added], written: list[WrittenSegment]
    ) -> None:
        if marks.hold_fence(tx) != batch.former.batches:
            raise Outrun
        now = self._clock.now()
        if now - batch.now > _STALE:
            raise Outrun
        marks.put(tx, batch.former, batch.judged_at, batch.moved)
        if not counting.put(tx, batch.counting):
            raise Outrun
        segments.register(tx, written, now)
        each = judged.values()
        clicks = sum(len(added.clicks) for added in each)
        assert clicks <= sum(one.segment.rows for one in written), "a known click has its entry"
        rows.put_clicks(tx, [row for added in each for row in added.clicks])
        opened = {visitor: seen for added in each for visitor, seen in added.visits.items()}
        rows.put_visits(tx, opened, batch.forgotten)
        address_days.add(tx, [pair for added in each for pair in added.address_days.items()])
        rows.put_keys(tx, [row for added in each for row in added.keys])
        rows.put_applied(tx, [row for added in each for row in added.applied])
        if funnel.hires_booked(tx, [hire.no for hire in batch.hires], now) < len(batch.hires):
            raise Outrun
        if not spending.booked(tx, batch.dues):
            raise Outrun
        rows.unpark(tx, [no for added in each for no in added.unparked])
        rows.park(tx, [row for added in each for row in added.parked])
        copies.note(tx, batch.fetches)
        self._told.note(tx, each, now)
        asides.keep(tx, batch.kept)
        asides.take(tx, batch.taken_back, batch.ended)
        rows.add_tallies(tx, {key: by for added in each for key, by in added.tallies.items()})
        counter_rows.add_counters(tx, batch.used)
        daily_sums.add(tx, batch.days)
        traffic.add(tx, {client_no: added.traffic for client_no, added in judged.items()})
        apply_ages.add(tx, {client_no: added.apply_ages for client_no, added in judged.items()})
        waking.wake(tx, {client_no: added.short for client_no, added in judged.items()}, now)
        # Last, since another transaction may lower a cap until then; on SQLite none can.
        if batch.basis is not None and not gathering.is_as_read(self._records, batch):
            basis = self._basis(tx, batch)
            if basis != batch.basis and terms_of(basis) != batch.terms:
                raise Outrun

    def _discard(self, written: Iterable[WrittenSegment]) -> None:
        for one in written:
            # What cannot be deleted now is swept later.
            with suppress(Unavailable, OSError):
                self._blobs.delete(one.segment.path)
