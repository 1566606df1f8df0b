"""The standing of a single job: by itself, below its job group, and at its places."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import NamedTuple

import msgspec

from handbill.core.bids import PLAIN_JOB, BidSource, JobBids
from handbill.core.nouns import Client, Group, Job
from handbill.core.rates import Exchange
from handbill.core.standing.capping import CappedEntity
from handbill.core.standing.reasons import (
    CAPS,
    ON_PURPOSE,
    Code,
    Fix,
    Level,
    Params,
    Reason,
    Resolved,
    resolved,
    seen_at_places,
    seen_below,
)
from handbill.core.standing.selling import unsold
from handbill.core.standing.tree import Spot, extended, reason
from handbill.core.states import in_force
from handbill.kit.instants import Instant

_TRADING = CAPS | ON_PURPOSE
_BIDS = {Code.NO_BID, Code.NO_RATE, Code.BELOW_MIN_BID, Code.BELOW_UNIT}
_OF_JOBS = _BIDS | {Code.NO_JOBS, Code.JOBS_CAPPED}


class Above(NamedTuple):
    """What a job depends on: its job group with its standing, and its places, with what applies
    there to all its jobs and to this one.
    """

    client: Client
    group: Group | None
    standing: Resolved
    places: Sequence[tuple[Spot, Sequence[Resolved]]]
    exchange: Exchange


def job_resolved(
    job: Job, above: Above, capped: Iterable[Resolved], now: Instant, today: date
) -> Resolved:
    """The standing of a live job. ``capped``: the effect of its own caps everywhere."""
    owner = _owner(job)
    reasons = list(_own(job, owner, now, today))
    for one in capped:
        reasons += one.all_reasons
    if above.group is None or above.group.is_default:
        words = "no job group takes the job"
        reasons.append(reason(Code.NO_GROUP, owner, words, Params()))
    else:
        trading = [it for it in above.standing.all_reasons if _is_above(it)]
        reasons += seen_below(trading)
        reasons += _of_places(job, above, today)
    return resolved(Level.JOB, job.id, reasons)


def _owner(job: Job) -> CappedEntity:
    return CappedEntity(Level.JOB, job.id, job.body.title or job.body.ref, "job")


def _is_above(one: Reason) -> bool:
    return one.code in _TRADING and not one.params.publisher_id


def _own(job: Job, owner: CappedEntity, now: Instant, today: date) -> Iterator[Reason]:
    setting = (job.body.settings or PLAIN_JOB).setting
    if job.status != "A":
        yield reason(Code.PAUSED, owner, "the job is paused", fix=Fix(kind="enable"))
    if job.expired(now):
        yield reason(Code.EXPIRED, owner, "the job's end has come", fix=extended(today))
    if not job.valid:
        words = f"the job lacks {', '.join(job.body.missing) or 'a mandatory field'}"
        yield reason(Code.INVALID, owner, words)
    if not job.body.url:
        yield reason(Code.NO_URL, owner, "the job has no URL")
    if not in_force(setting.start_on, None, today):
        params, fix = Params(on=setting.start_on or ""), Fix(kind="begin", text=today.isoformat())
        words = f"the job starts on {setting.start_on}"
        yield reason(Code.NOT_STARTED, owner, words, params, fix=fix)
    if not in_force(None, setting.end_on, today):
        params = Params(on=setting.end_on or "")
        words = f"the job's settings end on {setting.end_on}"
        yield reason(Code.EXPIRED, owner, words, params, fix=extended(today))


def _of_places(job: Job, above: Above, today: date) -> Iterator[Reason]:
    """The reasons of a job's places, or that its job group has none."""
    if not above.places:
        yield from (it for it in above.standing.all_reasons if it.code is Code.NO_PLACEMENT)
        return
    body = job.body
    settings = body.settings or PLAIN_JOB
    asked = JobBids(job.status != "A", body.cpc_micros, settings, body.cpc_currency)
    every = [_at_place(job, above, place, asked, today) for place in above.places]
    yield from seen_at_places(every)


def _at_place(
    job: Job, above: Above, place: tuple[Spot, Sequence[Resolved]], asked: JobBids, today: date
) -> list[Reason]:
    spot, standings = place
    reasons = [
        it
        for standing in standings
        for it in standing.all_reasons
        if it.params.publisher_id == spot.publisher.id and it.code not in _OF_JOBS
    ]
    settings = asked.settings
    own = next((it for it in settings.placements if it.publisher_id == spot.publisher.id), None)
    barred = settings.publishers is not None and spot.publisher.id not in settings.publishers
    if barred or (own is not None and not own.active):
        params, fix = Params(publisher_id=spot.publisher.id), Fix(kind="activate")
        words = "the job excludes the publisher"
        reasons.append(reason(Code.JOB_EXCLUDES, _owner(job), words, params, fix=fix))
    elif spot.publisher.body.bid_type != "PPP":
        plain = asked._replace(paused=False)
        unoffered = unsold(above.client, spot, [(plain, 1)], today, above.exchange)
        reasons += (_of_bid(job, it) for it in unoffered if it.code in _BIDS)
    return reasons


def _of_bid(job: Job, one: Reason) -> Reason:
    """That a bid is too low; where it is the job's own, this is the cause of the job."""
    if one.fix is None or one.fix.source not in {BidSource.JOB, BidSource.JOB_PLACEMENT}:
        return one
    owner = _owner(job)
    return msgspec.structs.replace(one, level=owner.level, entity_id=owner.id, name=owner.name)
