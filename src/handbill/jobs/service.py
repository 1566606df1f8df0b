"""Use cases of jobs, and how a source of jobs (a feed, the API) takes them over.

A job is live while ``left_at`` is not set; only live jobs can be found. Every change marks what
must be matched and indexed again in the same transaction; the caller enqueues ``groups.rematch``. A
feed's jobs are taken over in many steps that take effect together: ``taking_over``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from handbill.core.click_definitions import JobPlace
from handbill.core.job_caps import JobCaps, caps_of_job
from handbill.core.nouns import Client, Job, JobBody, JobSettings
from handbill.jobs import carried, line_rows, mark_rows, rows, staging, tallies, writing
from handbill.jobs.line_rows import JobLine, JobOrder
from handbill.jobs.writing import FormerJob, WrittenJob, job_id, written
from handbill.kit.batches import batches
from handbill.kit.faults import Fault, bad_request, not_found
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Row
from handbill.work import kinds
from handbill.work.queue import enqueue

__all__ = [
    "Applied",
    "JobLine",
    "JobOrder",
    "WrittenJob",
    "apply",
    "bodies",
    "capped_jobs",
    "count",
    "deleted_of_feed",
    "job_id",
    "job_of",
    "jobs_by_ids",
    "jobs_by_number",
    "jobs_page",
    "lacking",
    "lines",
    "of_feed",
    "places_of",
    "tally_of_feed",
    "walk",
    "written",
]

BATCH = 1_000
MOST_LINES = 1_000_000_000
"""All of a client's jobs."""


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def job_of(tx: Tx, client_no: int, ref: str) -> Job:
    """The client's live job of that reference. **Refuses** any other alike (404)."""
    job = rows.find(tx, client_no, ref)
    if job is None:
        raise not_found()
    return job


def jobs_page(tx: Tx, client_no: int, skip: int, limit: int) -> list[Job]:
    """Live jobs, oldest first."""
    return rows.page(tx, client_no, skip, limit, amid=staging.is_amid(tx, client_no))


def lines(
    tx: Tx,
    client_no: int,
    order: JobOrder,
    after: str | None,
    most: int = MOST_LINES,
    *,
    never_delisted: bool = False,
) -> Iterator[JobLine]:
    """Live jobs in brief, one by one, at most so many, in an order, from behind the job of this id
    on. ``never_delisted``: without those that ``mark_delisted`` has named. **Refuses** an id that
    is not the client's (400). During a takeover they tell what stood before it.
    """
    last = None if after is None else line_rows.place_of(tx, client_no, after)
    if after is not None and last is None:
        raise bad_request([Fault("cursor", "must be next of a previous answer")])
    return line_rows.lines(tx, client_no, order, last, most, never_delisted=never_delisted)


def lacking(tx: Tx, some: Iterable[JobLine]) -> dict[str, Sequence[str]]:
    """The mandatory fields that each of these jobs lacks, by id; of valid ones nothing is told.

    It agrees with ``valid`` during a takeover, too: both tell what stood before it.
    """
    ids = {one.no: one.id for one in some if not one.valid}
    return {ids[no]: body.missing for no, body in bodies(tx, ids)}


def count(tx: Tx, client_no: int, now: Instant) -> tuple[int, int]:
    """How many live jobs the client has, and how many of them have expired."""
    return tallies.count(tx, client_no, now, amid=staging.is_amid(tx, client_no))


def jobs_by_ids(tx: Tx, client_no: int, ids: Sequence[str]) -> list[Job]:
    """Live jobs of the client, in the order of the ids; unknown and foreign ids are left out."""
    by_id = {job.id: job for job in rows.by_ids(tx, client_no, ids)}
    return [by_id[id_] for id_ in dict.fromkeys(ids) if id_ in by_id]


def job_by_id(tx: Tx, client_no: int, job_id: str) -> Job:
    """The client's live job of that id. **Refuses** any other alike (404)."""
    job = rows.by_id(tx, client_no, job_id)
    if job is None:
        raise not_found()
    return job


def refs_of(tx: Tx, client_no: int, ids: Sequence[str]) -> dict[str, str]:
    """Job id → reference, including jobs that have left."""
    return rows.refs(tx, client_no, ids)


def never_delisted(tx: Tx, client_no: int, ids: Iterable[bytes]) -> list[int]:
    """The numbers of those of the client's jobs that ``mark_delisted`` did not name, in order."""
    parts = batches((id_.hex() for id_ in ids), BATCH)
    return sorted(no for part in parts for no in mark_rows.never_delisted(tx, client_no, part))


def mark_delisted(tx: Tx, client_no: int, nos: Iterable[int]) -> None:
    """Note that publishers' files have listed these jobs of the client, and one does no longer."""
    mark_rows.mark_delisted(tx, client_no, nos)


def jobs_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Job]:
    """By row number, including those that left; for rooms that store numbers (ledger, listings)."""
    return {job.no: job for part in batches(nos, BATCH) for job in rows.by_numbers(tx, part)}


def places_of(tx: Tx, ids: Iterable[bytes]) -> dict[bytes, JobPlace]:
    """Where jobs are, by id, including those that have left."""
    return {
        bytes.fromhex(id_): JobPlace(*place)
        for part in batches((id_.hex() for id_ in ids), BATCH)
        for id_, *place in rows.places(tx, part)
    }


def capped_jobs(tx: Tx, ids: Iterable[bytes]) -> dict[bytes, JobCaps]:
    """The caps of those of these jobs that have any of their own, including jobs that have left."""
    return {
        bytes.fromhex(id_): caps
        for part in batches((id_.hex() for id_ in ids), BATCH)
        for id_, settings in rows.settings_of(tx, part)
        if (caps := caps_of_job(settings)) is not None
    }


def settings_of(tx: Tx, job_id: str) -> JobSettings:
    """The settings of a job, even if it has left."""
    return dict(rows.settings_of(tx, [job_id])).get(job_id, JobSettings())


def changed_at(tx: Tx, ids: Iterable[str]) -> dict[str, Instant]:
    """When jobs were changed last, by id, including those that have left."""
    return dict(row for part in batches(ids, BATCH) for row in rows.changed_at(tx, part))


def walk(tx: Tx, client_no: int) -> Iterator[Job]:
    """Every live job of the client, in bounded memory."""
    last = 0
    while batch := rows.after(tx, client_no, last, BATCH):
        yield from batch
        last = batch[-1].no


def bodies(tx: Tx, nos: Iterable[int]) -> Iterator[tuple[int, JobBody]]:
    """Number and body (without settings) of each job, in bounded memory."""
    for part in batches(nos, BATCH):
        yield from rows.bodies(tx, part)


def tally_of_feed(tx: Tx, feed_no: int) -> tuple[int, int]:
    """How many live jobs a feed has, and how many of them are not valid."""
    return tallies.tally_of_feed(tx, feed_no)


def of_feed(tx: Tx, feed_no: int) -> Iterator[Row]:
    """(number, reference, raw digest, end) of each live job of a feed."""
    return rows.of_feed(tx, feed_no)


def deleted_of_feed(tx: Tx, feed_no: int) -> list[Row]:
    """The same for jobs that were deleted while the feed carries them."""
    return rows.deleted_of_feed(tx, feed_no)


# ── taking over ─────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True, kw_only=True)
class Applied:
    """The result for the jobs that a source brought."""

    added: int = 0
    changed: int = 0
    revived: int = 0
    same: int = 0
    deleted: int = 0
    """Jobs of the feed that were deleted while it carries them: they stay deleted."""
    held_by_api: list[str] = field(default_factory=list)
    """References of jobs that were added by API: not changed."""
    other_feed: int = 0
    """Jobs of another feed, including deleted ones: not changed."""


def apply(
    tx: Tx, client: Client, feed_no: int | None, brought: Iterable[WrittenJob], now: Instant
) -> Applied:
    """Add or rewrite jobs, all in the caller's transaction.

    ``feed_no`` None: the API brings them. A live job of another source is left alone and reported;
    one that had left is taken over by who brings it, with its number and id. One that was deleted
    while a feed carries it comes back only by the API.
    """
    done = Applied()
    for batch in batches(brought, BATCH):
        sorted_ = sort(tx, client.no, feed_no, batch, done)
        carried.add(tx, _lifted(sorted_.changed))
        rows.update(tx, feed_no, sorted_.changed, now)
        new = sorted_.new
        numbers = rows.insert(tx, client.no, client.id, feed_no, new, now) if new else {}
        _mark(tx, client.no, numbers, sorted_.changed)
    return done


class Sorted(NamedTuple):
    """The jobs of a source that must be written, and the numbers of those that belong to another
    source.
    """

    new: list[WrittenJob]
    changed: list[tuple[FormerJob, WrittenJob]]
    held: list[int]


def sort(
    tx: Tx, client_no: int, feed_no: int | None, batch: list[WrittenJob], done: Applied
) -> Sorted:
    """Compare some jobs with those in the records. If only a job's bytes differ and not its
    content, its new digest is stored at once: nobody sees it.
    """
    before = rows.standing(tx, client_no, [job.ref for job in batch])
    result = Sorted([], [], [])
    reread: list[tuple[int, bytes | None]] = []
    deleted: list[tuple[int, bytes | None]] = []
    for job in batch:
        stands = before.get(job.ref)
        if stands is None:
            result.new.append(job)
        elif stands.deleted_at is not None and feed_no is not None:
            if stands.feed_no == feed_no:
                deleted.append((stands.no, job.raw_digest))
            else:
                result.held.append(stands.no)
                done.other_feed += 1
        elif stands.left_at is None and stands.feed_no != feed_no:
            result.held.append(stands.no)
            if stands.feed_no is None:
                done.held_by_api.append(job.ref)
            else:
                done.other_feed += 1
        elif stands.left_at is None and _says_the_same(stands, job):
            reread.append((stands.no, job.raw_digest))
        else:
            result.changed.append((stands, job))
    rows.reread(tx, [*reread, *deleted])
    done.added += len(result.new)
    done.same += len(reread)
    done.deleted += len(deleted)
    back = sum(stands.left_at is not None for stands, _ in result.changed)
    done.revived += back
    done.changed += len(result.changed) - back
    return result


def _lifted(changed: list[tuple[FormerJob, WrittenJob]]) -> list[tuple[int, int]]:
    """Feed and number of each job that the API takes over although that feed carries it."""
    return [
        (stands.feed_no, stands.no)
        for stands, _ in changed
        if stands.deleted_at is not None and stands.feed_no is not None
    ]


def _says_the_same(stands: FormerJob, job: WrittenJob) -> bool:
    return (
        stands.digest == job.digest
        and stands.url == job.url
        and stands.matching == writing.matching_of(job)
        and stands.settings == writing.settings_with(stands.settings, job.publishers)
    )


def _mark(
    tx: Tx, client_no: int, numbers: dict[str, int], changed: list[tuple[FormerJob, WrittenJob]]
) -> None:
    moved, turned = [], []
    for stands, job in changed:
        if stands.left_at is not None or stands.matching != writing.matching_of(job):
            moved.append(stands.no)
        if stands.url != job.url:
            turned.append(stands.no)
    mark_rows.mark_new(tx, client_no, numbers.values())
    mark_rows.mark_unmatched(tx, client_no, moved)
    mark_rows.mark_unindexed(tx, client_no, turned)


def leave(tx: Tx, client_no: int, feed_no: int, nos: list[int], now: Instant) -> None:
    """Handle jobs that their feed dropped: each leaves, or passes to another feed that carries it
    and is then read anew. A deletion ends, or goes on at that other feed.

    Numbers, ids and URLs stay, so that late clicks still find their way.
    """
    heirs = carried.heirs_of(tx, feed_no, nos)
    rows.hand_over(tx, heirs)
    for receiver in sorted(set(heirs.values())):
        enqueue(tx, kinds.HURRY, str(receiver), now)
    gone = [no for no in nos if no not in heirs]
    rows.leave(tx, feed_no, gone, now)
    rows.lift(tx, feed_no, gone)
    mark_rows.mark_unmatched(tx, client_no, gone)
