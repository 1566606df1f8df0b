"""How changes of purchases and their jobs are recorded. Who holds a slot is not recorded: no user
sets it, as jobs take turns by themselves.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from handbill.changes import service as changes
from handbill.core.nouns import Client
from handbill.core.postings import Posting, PostingJob
from handbill.core.trail import TrailEntity
from handbill.kit.instants import Instant
from handbill.store.records import Tx

State = dict[str, Any]


def state_of(posting: Posting) -> State:
    times = {"start_at": posting.start_at, "end_at": posting.end_at}
    return {**msgspec.structs.asdict(posting.body), **times, "clients": posting.client_ids}


def purchase(
    tx: Tx, now: Instant, client: Client, posting: Posting, before: State, after: State
) -> None:
    """``before`` or ``after`` is empty for a new or deleted purchase."""
    entity = TrailEntity("POSTING", posting.id, posting.agency_no, client.no)
    changes.tell(tx, now, entity, before, after)


def states_of(jobs: Iterable[PostingJob]) -> dict[int, tuple[PostingJob, State]]:
    """The state of jobs of purchases in their changes, by row."""
    return {job.no: (job, _state(job)) for job in jobs}


def _state(job: PostingJob) -> State:
    if job.deleted_at is not None:
        return {}
    ended = job.ended_at is not None
    return {"ref": job.ref, "pinned": job.pinned, "paused": job.paused, "ended": ended}


def jobs(
    tx: Tx,
    now: Instant,
    posting: Posting,
    before: dict[int, tuple[PostingJob, State]],
    after: dict[int, tuple[PostingJob, State]],
) -> None:
    """Record one change for each job, even of many at once, so that each can be undone and found by
    itself. The number of the request connects them.
    """

    def told(no: int) -> tuple[TrailEntity, State, State]:
        job = (after.get(no) or before[no])[0]
        was, now_is = (states[no][1] if no in states else {} for states in (before, after))
        whose = {"posting": posting.id}
        entity = TrailEntity("POSTING_JOB", job.id, posting.agency_no, job.client_no)
        return entity, was and was | whose, now_is and now_is | whose

    changes.tell_many(tx, now, [told(no) for no in {**before, **after}])
