"""Who holds the slots of a posting: pinned jobs stay, the others take turns.

A posting is bought as **slots** (used again and again) or as **credits** (each used up by one job
for its duration). Only ``turn`` decides, from the current state. **Source**: domain 10.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from handbill.kit.instants import Instant


class PostingTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What was bought. ``credits_left`` None: slots. Stays and ``rotate_every`` in micros."""

    slots: int
    credits_left: int | None
    rotate_every: int
    least_stay: int
    most_stay: int
    start_at: Instant
    end_at: Instant

    def in_force(self, now: Instant) -> bool:
        return self.start_at <= now <= self.end_at


class RotatingJob(NamedTuple):
    """One job of a posting. ``able``: it can be shown (live, valid, and its own switch is on).

    ``posted_at`` None: it waits, since ``waiting_at``. ``credit_at``: when it used up a credit.
    ``times``: how often it was posted.
    """

    no: int
    pinned: bool
    paused: bool
    able: bool
    times: int
    waiting_at: Instant
    posted_at: Instant | None = None
    credit_at: Instant | None = None


class Turn(NamedTuple):
    """The changes. ``out``: wait again; ``ended``: their stay is over for good."""

    into: tuple[int, ...] = ()
    out: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()


def turn(terms: PostingTerms, jobs: Sequence[RotatingJob], now: Instant, *, rotate: bool) -> Turn:
    """Who leaves and who comes; the same input gives the same result, whatever the order of jobs.

    A pinned job that can be shown keeps its slot as long as the purchase is in force (and, if
    credits were bought, as long as its own credit lasts). Free slots go to waiting jobs: first
    pinned ones, then those never posted, then those that wait longest. ``rotate``: a run is due, so
    unpinned jobs past their least stay, longest posted first, make room for as many as still wait.
    """
    if not terms.in_force(now):
        return Turn(out=tuple(job.no for job in _sorted(jobs) if job.posted_at is not None))
    ended = [job for job in jobs if _is_over(terms, job, now)]
    over = {job.no for job in ended}
    left = [job for job in jobs if job.no not in over]
    out = [job for job in left if job.posted_at is not None and not _keeps(job)]
    kept = [job for job in left if job.posted_at is not None and _keeps(job)]
    waiting = _queue([job for job in left if job.posted_at is None], terms, now)
    free = max(0, terms.slots - len(kept))
    into, waiting = waiting[:free], waiting[free:]
    if rotate and terms.credits_left is None:
        ripe = [job for job in kept if not job.pinned and _stay(job, now) >= terms.least_stay]
        ripe.sort(key=lambda job: (job.posted_at, job.no))
        swaps = min(len(ripe), len(waiting))
        out, into = out + ripe[:swaps], into + waiting[:swaps]
    return Turn(_numbers(into), _numbers(_sorted(out)), _numbers(_sorted(ended)))


def has_credit(terms: PostingTerms, job: RotatingJob, now: Instant) -> bool:
    """Whether the job may be shown without using another credit."""
    if terms.credits_left is None:
        return True
    return job.credit_at is not None and now < job.credit_at + terms.most_stay


def after(
    jobs: Sequence[RotatingJob], turned: Turn, credited: Collection[int], now: Instant
) -> list[RotatingJob]:
    """The remaining jobs after a turn. ``credited``: newly posted ones that used up a credit."""
    into, out, ended = set(turned.into), set(turned.out), set(turned.ended)
    return [
        job._replace(
            times=job.times + 1,
            posted_at=now,
            credit_at=now if job.no in credited else job.credit_at,
        )
        if job.no in into
        else job._replace(waiting_at=now, posted_at=None)
        if job.no in out
        else job
        for job in jobs
        if job.no not in ended
    ]


def next_look(terms: PostingTerms, jobs: Sequence[RotatingJob], turned_at: Instant) -> Instant:
    """When the next change happens, according to the current state."""
    moments = [terms.end_at + 1]
    if terms.credits_left is None and terms.rotate_every:
        moments.append(turned_at + terms.rotate_every)
    for job in jobs:
        since = job.posted_at if terms.credits_left is None else job.credit_at
        if since is not None and not (terms.credits_left is None and job.pinned):
            moments.append(since + terms.most_stay)
    return min(moments)


def _is_over(terms: PostingTerms, job: RotatingJob, now: Instant) -> bool:
    """Whether a job's own time is up. A pinned one keeps a slot; nobody keeps a used-up credit."""
    if terms.credits_left is not None:
        return job.credit_at is not None and now >= job.credit_at + terms.most_stay
    return job.posted_at is not None and not job.pinned and _stay(job, now) >= terms.most_stay


def _keeps(job: RotatingJob) -> bool:
    """Whether a job keeps its slot: a paused one does not, unless it is pinned."""
    return job.able and (job.pinned or not job.paused)


def _queue(waiting: list[RotatingJob], terms: PostingTerms, now: Instant) -> list[RotatingJob]:
    """The jobs that may be posted, by priority; at most as many as there are credits."""
    may = [job for job in waiting if job.able and not job.paused]
    may.sort(key=lambda job: (not job.pinned, job.times > 0, job.waiting_at, job.no))
    room = terms.credits_left
    if room is None:
        return may
    jobs = []
    for job in may:
        if not has_credit(terms, job, now):
            if room <= 0:
                continue
            room -= 1
        jobs.append(job)
    return jobs


def _stay(job: RotatingJob, now: Instant) -> int:
    assert job.posted_at is not None, "only a posted job stays"
    return now - job.posted_at


def _sorted(jobs: Sequence[RotatingJob]) -> list[RotatingJob]:
    return sorted(jobs, key=lambda job: job.no)


def _numbers(jobs: Sequence[RotatingJob]) -> tuple[int, ...]:
    return tuple(job.no for job in jobs)
