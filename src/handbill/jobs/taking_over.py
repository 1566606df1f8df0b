"""Takes a feed's jobs over in short steps whose effect appears at once.

A run *stages* what its feed brings: new jobs as hidden rows, everything else beside the rows. Then
it is *switched*, in one small transaction: from then on everybody sees what was brought. Then it is
*settled*: the rows are brought up to date, step by step, by whoever comes; who reads rows in bulk
settles first. If a run dies before the switch, nobody sees anything of it, and the next run clears
it away; if it dies after the switch, whoever comes next goes on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from handbill.clients import service as clients
from handbill.core.nouns import Client
from handbill.jobs import carried, mark_rows, rows, service, staging
from handbill.jobs.service import Applied
from handbill.jobs.staging import Staged, Takeover
from handbill.jobs.writing import WrittenJob
from handbill.kit.batches import batches
from handbill.kit.faults import Unavailable
from handbill.kit.instants import SECOND, Instant
from handbill.store.records import Records, Tx
from handbill.store.records.takeovers import ARRIVING

STEP = 200
"""Jobs per transaction: about 30 ms, in which other writers wait."""
SILENT = 60 * SECOND
"""A run that has been silent for so long is dead, or has lost its takeover."""


class Superseded(Exception):
    """The takeover is no longer this run's: its feed is gone, or another run has it."""


class Amid(Unavailable):
    """Another feed of the client is being taken over; try again later."""


@dataclass(frozen=True, slots=True)
class Taking:
    """A takeover under way. ``step``: how many jobs a transaction may change. ``dropped``: jobs of
    others that the feed carried before, without those that it has brought again.
    """

    records: Records
    client: Client
    takeover: Takeover
    step: int
    dropped: set[int]

    def stage(self, brought: Iterable[WrittenJob], now: Instant) -> Applied:
        """Store what the feed brings, sorted as by ``service.apply``. It is not visible yet."""
        done, feed_no, client = Applied(), self.takeover.feed_no, self.client
        for batch in batches(brought, self.step):
            with self.records.write() as tx:
                self._hold(tx)
                result = service.sort(tx, client.no, feed_no, batch, done)
                carried.add(tx, [(feed_no, no) for no in result.held])
                self.dropped.difference_update(result.held)
                if result.new:
                    rows.insert(tx, client.no, client.id, feed_no, result.new, now, ARRIVING)
                changed = [Staged(stands.no, job) for stands, job in result.changed]
                staging.stage(tx, feed_no, changed)
            self.records.give_way()
        return done

    def stage_gone(self, nos: Iterable[int]) -> int:
        """Store which jobs the feed has dropped; returns how many of them will leave, without those
        that are deleted already or pass to another feed.
        """
        left, feed_no = 0, self.takeover.feed_no
        for part in batches(nos, self.step):
            with self.records.write() as tx:
                self._hold(tx)
                staging.stage(tx, feed_no, [Staged(no, None) for no in part])
                left += len(rows.alive(tx, part) - carried.heirs_of(tx, feed_no, part).keys())
            self.records.give_way()
        return left

    def switch(self, tx: Tx, now: Instant) -> None:
        """From this commit on, what was staged is in effect."""
        self._hold(tx)
        staging.switch(tx, self.takeover, now)

    def settle(self) -> None:
        """Bring the rows up to date with what was switched to."""
        _settle(self.records, self.client, self.takeover.feed_no, self.step)
        feed_no = self.takeover.feed_no
        self.records.in_parts(
            sorted(self.dropped), lambda tx, part: carried.forget(tx, feed_no, part), self.step
        )

    def carried_before(self, after: int) -> list[int]:
        with self.records.read() as tx:
            return carried.page(tx, self.takeover.feed_no, after, service.BATCH)

    def discard(self) -> None:
        """Delete what was staged, as if the takeover had not begun."""
        _discard(self.records, self.takeover, self.step)

    def _hold(self, tx: Tx) -> None:
        if not _held(tx, self.takeover):
            raise Superseded


def begin(records: Records, client: Client, feed_no: int, token: str, step: int = STEP) -> Taking:
    """Begin a takeover of a feed; what a former run has left behind is settled or deleted first.

    **Refuses** (Amid) while another feed of the client is being taken over: a reference may be in
    both.
    """
    while True:
        settle(records, client, step)
        with records.write() as tx:
            clients.lock(tx, client.no)
            others, now = staging.of_client(tx, client.no), tx.now()
            if not others:
                made = Takeover(feed_no, client.no, token, False, now, None)
                staging.put(tx, made)
                break
        _refuse_amid(others, feed_no, now)
        for other in others:
            if other.switched_at is None:
                _discard(records, other, step)
    taking = Taking(records, client, made, step, set())
    after = 0
    while nos := taking.carried_before(after):
        taking.dropped.update(nos)
        after = nos[-1]
    return taking


def check_free(records: Records, client: Client, feed_no: int) -> None:
    """**Refuses** (Amid) as ``begin`` would now, so that no feed is fetched in vain."""
    with records.read() as tx:
        _refuse_amid(staging.of_client(tx, client.no), feed_no, tx.now())


def _refuse_amid(others: Iterable[Takeover], feed_no: int, now: Instant) -> None:
    for other in others:
        is_alive = other.switched_at is None and now < other.renewed_at + SILENT
        if is_alive and other.feed_no != feed_no:
            raise Amid("another feed of the client is being taken over")


def let_go(tx: Tx, client: Client, feed_no: int, now: Instant) -> None:
    """Remove a deleted feed's jobs with this commit, except those that another feed carries.

    A run that is taking the feed over finds that it has lost its takeover.
    """
    staging.put(tx, Takeover(feed_no, client.no, "", True, tx.now(), now))


def is_amid(tx: Tx, client_no: int) -> bool:
    """Whether the rows of the client's jobs are not up to date."""
    return staging.is_amid(tx, client_no)


def settle(records: Records, client: Client, step: int = STEP) -> None:
    """Bring the rows of the client's jobs up to date with what was switched to. Several processes
    may do so at once.
    """
    with records.read() as tx:
        behind = [one for one in staging.of_client(tx, client.no) if one.switched_at is not None]
    for takeover in behind:
        _settle(records, client, takeover.feed_no, step)


def settle_job(tx: Tx, client: Client, job_no: int) -> None:
    """Bring the rows of one job up to date with what was switched to, before it is changed."""
    for takeover in staging.of_client(tx, client.no):
        if takeover.switched_at is None:
            continue
        staged = staging.staged_of_job(tx, job_no)
        if takeover.whole:
            if job_no in staging.carrying(tx, takeover.feed_no, job_no - 1, 1):
                service.leave(tx, client.no, takeover.feed_no, [job_no], takeover.switched_at)
        elif staged is not None and staged[0] == takeover.feed_no:
            _bring_up(tx, client, takeover, [job_no])
        elif job_no in staging.arrivals(tx, takeover.feed_no, job_no - 1, 1):
            _reveal(tx, client, [job_no])


def keep_out(tx: Tx, client: Client, job_no: int, *, is_carried: bool) -> None:
    """Remove a job that an API caller adds or deletes from the feeds' takeovers; ``is_carried``:
    note that the feed carries it too.
    """
    staged = staging.staged_of_job(tx, job_no)
    carriers = set[int]()
    if staged is not None and staged[1].brought is not None:
        staging.unstage(tx, [job_no])
        carriers.add(staged[0])
    for takeover in staging.of_client(tx, client.no):
        if job_no in staging.arrivals(tx, takeover.feed_no, job_no - 1, 1):
            carriers.add(takeover.feed_no)
            mark_rows.mark_unindexed(tx, client.no, [job_no])
    if is_carried:
        carried.add(tx, [(feed_no, job_no) for feed_no in carriers])


# ── the steps ───────────────────────────────────────────────────────────────────────────────────
def _settle(records: Records, client: Client, feed_no: int, step: int) -> None:
    """Each step looks again at what is left, so that several processes may take turns."""
    with records.read() as tx:
        takeovers = [one for one in staging.of_client(tx, client.no) if one.feed_no == feed_no]
    if not takeovers or takeovers[0].switched_at is None:
        return
    takeover, at = takeovers[0], takeovers[0].switched_at
    walk = _Walk(records, takeover, step)
    if takeover.whole:
        _clear(walk)
        walk.through(
            staging.carrying, lambda tx, nos: service.leave(tx, client.no, feed_no, nos, at)
        )
        walk.through(carried.page, lambda tx, nos: carried.forget(tx, feed_no, nos))
    else:
        walk.through(staging.staged_nos, lambda tx, nos: _bring_up(tx, client, takeover, nos))
        walk.through(staging.arrivals, lambda tx, nos: _reveal(tx, client, nos))
    with records.write() as tx:
        staging.drop(tx, takeover)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A walk over the jobs of a takeover, one step per transaction."""

    records: Records
    takeover: Takeover
    step: int

    def through(
        self, page: Callable[[Tx, int, int, int], list[int]], deed: Callable[[Tx, list[int]], None]
    ) -> None:
        """Apply a function to all jobs of the pages, until there are none, or the takeover has
        changed meanwhile.
        """
        after = 0
        while True:
            with self.records.write() as tx:
                if not _held(tx, self.takeover):
                    return
                nos = page(tx, self.takeover.feed_no, after, self.step)
                if not nos:
                    return
                deed(tx, nos)
            after = nos[-1]
            self.records.give_way()


def _held(tx: Tx, takeover: Takeover) -> bool:
    """Lock the takeover, and the client whose jobs it writes, as callers of the API do."""
    clients.lock(tx, takeover.client_no)
    return staging.hold(tx, takeover)


def _bring_up(tx: Tx, client: Client, takeover: Takeover, nos: list[int]) -> None:
    at, feed_no = takeover.switched_at, takeover.feed_no
    assert at is not None, "only what was switched to is settled"
    some = staging.staged(tx, nos)
    service.apply(tx, client, feed_no, (one.brought for one in some if one.brought), at)
    service.leave(tx, client.no, feed_no, [o.job_no for o in some if o.brought is None], at)
    staging.unstage(tx, nos)


def _reveal(tx: Tx, client: Client, nos: list[int]) -> None:
    staging.reveal(tx, nos)
    mark_rows.mark_new(tx, client.no, nos)


def _discard(records: Records, takeover: Takeover, step: int) -> None:
    with records.write() as tx:
        fenced = staging.fence(tx, takeover, "discarded")
    _clear(_Walk(records, fenced, step))
    with records.write() as tx:
        staging.drop(tx, fenced)


def _clear(walk: _Walk) -> None:
    """Delete what was staged and never visible."""
    walk.through(staging.staged_nos, staging.unstage)
    walk.through(staging.arrivals, staging.delete_arrivals)
