"""The jobs that hold the slots of a purchase: added, removed, pinned, paused, and taking turns.

Every change locks the purchase's row first, and ends by letting ``core.rotation`` decide who holds
the slots; so slots are never exceeded, even by simultaneous changes.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from handbill.clients import service as clients
from handbill.core import rotation
from handbill.core.nouns import Client
from handbill.core.posting_costs import hours_of
from handbill.core.postings import Posting, PostingJob
from handbill.core.rotation import PostingTerms, RotatingJob
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import DAY, MINUTE, Instant
from handbill.postings import rows, telling, turning_rows
from handbill.store.records import Tx
from handbill.store.records.tables import posting_configs

MOST_JOBS = 10_000
_LOOK = 10 * MINUTE

Reason = Literal["JOB_NOT_FOUND", "JOB_INVALID", "ALREADY_POSTED", "NO_SLOT", "CONFIG_INACTIVE"]


class Result(NamedTuple):
    """The result for a reference. ``id``: the posting's job; ``reason``: why nothing was done."""

    ref: str
    id: str | None = None
    reason: Reason | None = None

    @property
    def success(self) -> bool:
        return self.reason is None


def stay_days(posting: Posting) -> int:
    """How many days one job stays: its own setting, else the whole purchase; at least one."""
    hours = hours_of(posting.start_at, posting.end_at)
    return posting.body.stay_days or max(1, -(-hours // 24))


def is_slots(posting: Posting) -> bool:
    """Whether slots were bought; else credits (configType, domain 10)."""
    return posting.body.rotate_days > 0


def used(posting: Posting) -> int:
    """usedCount: slots held now, or credits used up."""
    return posting.posted if is_slots(posting) else posting.credits_used


# ── their jobs ──────────────────────────────────────────────────────────────────────────────────
def add(
    tx: Tx, ids: Ids, now: Instant, client: Client, posting: Posting, refs: Sequence[str]
) -> list[Result]:
    """Add jobs to a purchase; the result for each reference, in order.

    A job without a free slot (or credit) waits, and its result is NO_SLOT with its id.
    """
    posting = locked(tx, client, posting)
    if not _terms(posting).in_force(now):
        return [Result(ref, reason="CONFIG_INACTIVE") for ref in refs]
    known = rows.candidates(tx, client.no, refs, now)
    former = rows.by_refs(tx, posting.no, client.no, refs)
    room = MOST_JOBS - turning_rows.job_count(tx, posting.no)
    refused: dict[str, Result] = {}
    new: list[tuple[str, int]] = []
    again: list[tuple[PostingJob, str]] = []
    for ref in refs:
        job = former.get(ref)
        live = job is not None and job.deleted_at is None
        if ref not in known:
            refused[ref] = Result(ref, reason="JOB_NOT_FOUND")
        elif not known[ref][1]:
            refused[ref] = Result(ref, reason="JOB_INVALID")
        elif job is not None and live and job.posted:
            refused[ref] = Result(ref, job.id, "ALREADY_POSTED")
        elif not live and room <= 0:
            refused[ref] = Result(ref, reason="NO_SLOT")
        elif job is None:
            new.append((new_uuid(ids), known[ref][0]))
            room -= 1
        elif not live:
            again.append((job, new_uuid(ids)))
            room -= 1
        elif job.ended_at is not None:
            again.append((job, job.id))
        elif job.paused:
            rows.change_jobs(tx, [job.no], now, paused=0, waiting_at=now)
    rows.insert_jobs(tx, posting.no, client.no, new, now)
    rows.revive(tx, again, now)
    settle(tx, posting, now)
    stand = rows.by_refs(tx, posting.no, client.no, [ref for ref in refs if ref not in refused])
    before = [former[ref] for ref in stand if ref in former]
    telling.jobs(tx, now, posting, telling.states_of(before), telling.states_of(stand.values()))
    return [refused.get(ref) or _added(stand[ref]) for ref in refs]


def _added(job: PostingJob) -> Result:
    return Result(job.ref, job.id, None if job.posted else "NO_SLOT")


def remove(
    tx: Tx, now: Instant, client: Client, posting: Posting, refs: Sequence[str]
) -> list[Result]:
    """Remove jobs from a purchase. A credit that a job has used stays used."""
    posting = locked(tx, client, posting)
    by_ref = _present(tx, posting, client, refs)
    delete_jobs(tx, posting, by_ref.values(), now)
    settle(tx, posting, now)
    return _results(refs, by_ref)


def pin(
    tx: Tx, now: Instant, client: Client, posting: Posting, refs: Sequence[str], *, on: bool
) -> list[Result]:
    """Pin jobs, or unpin them. **Refuses** (400) more pins than there are slots."""
    posting = locked(tx, client, posting)
    by_ref = _present(tx, posting, client, refs)
    if on:
        chosen = {job.no for job in by_ref.values() if job.ended_at is None}
        if len(turning_rows.pinned(tx, posting.no) | chosen) > posting.body.available:
            raise refused_state("", f"only {posting.body.available} jobs can be pinned")
    changed = [job for job in by_ref.values() if job.pinned != on]
    rows.change_jobs(tx, [job.no for job in changed], now, pinned=int(on))
    _tell_set(tx, now, posting, changed, "pinned", on=on)
    settle(tx, posting, now)
    return _results(refs, by_ref)


def pause(
    tx: Tx, now: Instant, client: Client, posting: Posting, refs: Sequence[str], *, on: bool
) -> list[Result]:
    """Pause jobs in this posting, or enable them again."""
    posting = locked(tx, client, posting)
    by_ref = _present(tx, posting, client, refs)
    changed = [job for job in by_ref.values() if job.paused != on]
    rows.change_jobs(tx, [job.no for job in changed], now, paused=int(on))
    _tell_set(tx, now, posting, changed, "paused", on=on)
    waiting = [job.no for job in changed if not job.posted]
    rows.change_jobs(tx, waiting, now, waiting_at=now)
    settle(tx, posting, now)
    # A pinned job keeps its slot while paused, so its slot does not show whether it is in the feed.
    publish(tx, {job.client_no for job in changed if job.posted}, now)
    return _results(refs, by_ref)


def _present(
    tx: Tx, posting: Posting, client: Client, refs: Sequence[str]
) -> dict[str, PostingJob]:
    by_ref = rows.by_refs(tx, posting.no, client.no, refs)
    return {ref: job for ref, job in by_ref.items() if job.is_there}


def _results(refs: Sequence[str], found: dict[str, PostingJob]) -> list[Result]:
    return [
        Result(ref, found[ref].id) if ref in found else Result(ref, reason="JOB_NOT_FOUND")
        for ref in refs
    ]


def _tell_set(
    tx: Tx, now: Instant, posting: Posting, changed: Iterable[PostingJob], name: str, *, on: bool
) -> None:
    before = telling.states_of(changed)
    after = {no: (job, state | {name: on}) for no, (job, state) in before.items()}
    telling.jobs(tx, now, posting, before, after)


def delete_jobs(tx: Tx, posting: Posting, gone: Iterable[PostingJob], now: Instant) -> None:
    gone = list(gone)
    telling.jobs(tx, now, posting, telling.states_of(gone), {})
    rows.change_jobs(tx, [job.no for job in gone], now, posted=0, posted_at=None, deleted_at=now)
    publish(tx, {job.client_no for job in gone if job.posted}, now)


# ── turns ───────────────────────────────────────────────────────────────────────────────────────
def due(tx: Tx, now: Instant, most: int) -> list[str]:
    """The ids of purchases that are due for a turn."""
    return rows.due(tx, now, most)


def turn(tx: Tx, config_id: str, now: Instant) -> None:
    """Take the turn of a purchase, if it still exists."""
    no = rows.number_of(tx, config_id)
    if no is None or not tx.lock_row(posting_configs, no):
        return
    posting = rows.by_number(tx, no)
    if posting is not None:
        settle(tx, posting, now)


def settle(tx: Tx, posting: Posting, now: Instant) -> None:
    """Assign the slots to the jobs that are due for them. The purchase's row must be locked."""
    terms, standing = _terms(posting), turning_rows.standing(tx, posting.no, now)
    rotate = _rotates(posting, now)
    change = rotation.turn(terms, standing, now, rotate=rotate)
    into = set(change.into)
    coming = {one.no: one for one in standing if one.no in into}
    credited = {no for no, one in coming.items() if not rotation.has_credit(terms, one, now)}
    turning_rows.apply_turn(tx, change, credited, now)
    stands = rotation.after(standing, change, credited, now)
    posting.credits_used += len(credited)
    posting.posted = sum(one.posted_at is not None for one in stands)
    posting.ever += sum(not one.times for one in coming.values())
    if rotate:
        posting.turned_at = now
    rows.save(tx, posting, due_at=_due_at(posting, stands, now))
    publish(tx, turning_rows.whose(tx, (*change.into, *change.out, *change.ended)), now)


def _terms(posting: Posting) -> PostingTerms:
    body = posting.body
    left = None if is_slots(posting) else body.available - posting.credits_used
    return PostingTerms(
        slots=body.available,
        credits_left=left,
        rotate_every=body.rotate_days * DAY,
        least_stay=body.least_stay_days * DAY,
        most_stay=stay_days(posting) * DAY,
        start_at=posting.start_at,
        end_at=posting.end_at,
    )


def _rotates(posting: Posting, now: Instant) -> bool:
    return is_slots(posting) and now >= posting.turned_at + posting.body.rotate_days * DAY


def _due_at(posting: Posting, stands: Sequence[RotatingJob], now: Instant) -> Instant | None:
    """When to look again: at the next turn, and often enough to notice jobs that can no longer be
    shown, or can be again. Never for a purchase that is over or has no jobs.
    """
    if not stands or now > posting.end_at:
        return None
    soonest = rotation.next_look(_terms(posting), stands, posting.turned_at)
    return max(now + 1, min(soonest, now + _LOOK))


def locked(tx: Tx, client: Client, posting: Posting) -> Posting:
    """The purchase in its present state, locked until the transaction ends."""
    tx.lock_row(posting_configs, posting.no)
    present = rows.find(tx, client.no, posting.id)
    if present is None:
        raise not_found()
    return present


def publish(tx: Tx, client_nos: Iterable[int], now: Instant) -> None:
    """Have these clients' feeds written again; in order, so that no two wait for each other."""
    for _, client in sorted(clients.clients_by_number(tx, client_nos).items()):
        clients.wake_listings(tx, client, now)
