"""Caps of single jobs: of each job of a job group, of one job, of one job at one publisher.

Counters of jobs are kept only where a cap is in force. A **count** says which are: one measure of
one owner (a job group, for each of its jobs; a job; a job at a publisher). It begins with what the
ledger already holds, so that a cap set in mid-period knows what is spent. **Source**: domain 2.2,
docs/decisions/0037.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from handbill.core.charging import (
    JOB_SCOPES,
    MEASURES,
    CounterKey,
    Limit,
    Limits,
    Measure,
    Scope,
    budget_limit,
    limits_of,
    period_keys,
)
from handbill.core.nouns import Cap, Caps, JobSettings

_NONE: Final = Caps()


class Count(NamedTuple):
    """One measure that is counted for the jobs of an owner."""

    scope: Scope
    owner: str
    measure: Measure


class TakenOfJob(NamedTuple):
    """The use of each measure by entries of one job, at one place on one day."""

    client_no: int
    group_no: int
    publisher_no: int
    job_id: str
    day: date
    amounts: tuple[int, int, int]


class JobCaps(NamedTuple):
    """The caps of one job: its own, and its budgets by publisher."""

    caps: Caps
    budgets: Mapping[str, Cap]


def caps_of_job(settings: JobSettings) -> JobCaps | None:
    """The caps set on a job; None if there are none."""
    budgets = {one.publisher_id: one.budget for one in settings.placements if one.budget}
    if settings.setting.caps == _NONE and not budgets:
        return None
    return JobCaps(settings.setting.caps, budgets)


def each_job(caps: Caps) -> Caps | None:
    """A job group's caps for each single job, in the names of a job's own caps."""
    each = Caps(budget=caps.job_budget, clicks=caps.job_clicks, applies=caps.job_applies)
    return None if each == _NONE else each


def job_limits(
    group_no: int,
    publisher_no: int,
    job_id: str,
    each: Caps | None,
    own: JobCaps | None,
    publisher: str,
) -> tuple[Limit, ...]:
    """All limits of one job at one place."""
    limits: list[Limit] = []
    if each is not None:
        limits += limits_of("group_job", f"{group_no}/{job_id}", each)
    if own is not None:
        limits += limits_of("job", job_id, own.caps)
        cap = own.budgets.get(publisher)
        limits += budget_limit("job_placement", f"{job_id}/{publisher_no}", cap)
    return Limits(limits)


def count_of(one: Limit | CounterKey) -> Count:
    """The count that keeps a job's limit, or that a job's counter belongs to."""
    owner = one.entity.partition("/")[0] if one.scope == "group_job" else one.entity
    return Count(one.scope, owner, one.measure)


def owners_of(group_no: int, publisher_no: int, job_id: str) -> tuple[str, str, str]:
    """The entities that count an event of a job at a place, in the order of JOB_SCOPES."""
    return f"{group_no}", job_id, f"{job_id}/{publisher_no}"


def entities_of_job(one: TakenOfJob) -> Iterator[tuple[Scope, str, str]]:
    """Each scope that counts it, with the owner and the entity of the counter there."""
    owners = owners_of(one.group_no, one.publisher_no, one.job_id)
    for scope, owner in zip(JOB_SCOPES, owners, strict=True):
        yield scope, owner, f"{owner}/{one.job_id}" if scope == "group_job" else owner


def folded_jobs(taken: Iterable[TakenOfJob], counts: Iterable[Count]) -> dict[CounterKey, int]:
    """The counters of these counts, from the use by jobs."""
    by_owner: dict[tuple[str, str], list[Count]] = {}
    for count in counts:
        by_owner.setdefault((count.scope, count.owner), []).append(count)
    counters: dict[CounterKey, int] = {}
    for one in taken:
        for key, amount in _counted(one, by_owner):
            counters[key] = counters.get(key, 0) + amount
    return counters


def _counted(
    one: TakenOfJob, by_owner: Mapping[tuple[str, str], list[Count]]
) -> Iterator[tuple[CounterKey, int]]:
    for scope, owner, entity in entities_of_job(one):
        for count in by_owner.get((scope, owner), ()):
            if amount := one.amounts[MEASURES.index(count.measure)]:
                yield CounterKey(scope, entity, count.measure, period_keys(one.day)[0]), amount


def counters_under(keys: Iterable[CounterKey], counts: Iterable[Count]) -> list[CounterKey]:
    """Which of these counters belong to the counts."""
    wanted = set(counts)
    return [key for key in keys if key.scope in JOB_SCOPES and count_of(key) in wanted]
