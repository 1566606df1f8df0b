"""What a job group would take if it were saved now: by the code that matches; nothing is stored.

Where a job is now is determined by the groups as they are, not by the records, which may lag behind
by a rematch.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from handbill.core.filter_code import FIELDS, Contender, Matcher
from handbill.core.nouns import Branch, Client, Group, GroupBody
from handbill.groups import service
from handbill.groups.contest import Contest, contest_of, warnings_of
from handbill.groups.matching import BATCH, candidates
from handbill.groups.placing import bid_faults, bid_warnings, placement_faults
from handbill.kit.faults import Fault, bad_request
from handbill.kit.instants import Instant
from handbill.store.records import Tx

MOST_JOBS = 500_000
MOST_REFS = 100
_PRIORITY = 1
_NEWEST = 1 << 62
_REF = FIELDS.index("refNumber")


@dataclass(slots=True)
class GroupPreview:
    """Counts of live jobs. ``taken_from``: by the group that they are in now; ``kept_by``: jobs
    that match the filter, but that a better ranked group keeps. ``given_up``: jobs that the group
    has now and would lose.
    """

    complete: bool = True
    looked_at: int = 0
    given_up: int = 0
    taken_from: Counter[int] = field(default_factory=Counter)
    kept_by: Counter[int] = field(default_factory=Counter)
    refs: list[str] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


class _Sides(NamedTuple):
    """The group as it would be, all groups as they are, and all but the group itself."""

    contest: Contest
    rank: tuple[int, int]
    own_no: int
    own: Matcher
    now: Matcher
    rivals: Matcher


def preview(
    tx: Tx,
    client: Client,
    now: Instant,
    body: GroupBody,
    priority: int | None = None,
    group_id: str | None = None,
    most: int = MOST_JOBS,
) -> GroupPreview:
    """What a group with this body, which has a filter, would take, and from which group numbers.
    ``priority`` None: unchanged, or as for a new group; ``group_id``: the group to be changed.

    **Refuses** (400) what saving would refuse of filter and placements, and a group of another
    client. What can be saved but has no effect is a warning. Only the client's first ``most`` jobs
    are looked at.
    """
    assert body.filters is not None, "a preview is of a filter"
    stands = _named(tx, client, group_id)
    contest = contest_of(tx, client, now)
    exchange = contest.exchange
    faults = placement_faults(tx, client, exchange, body, new=True)
    faults += bid_faults(tx, client, exchange, body)
    if faults:
        raise bad_request(faults)
    sides = _sides(contest, stands, body.filters, priority)
    result = GroupPreview(warnings=warnings_of(body.filters, sides.contest))
    result.warnings += bid_warnings(tx, client, exchange, body)
    for job in _live(tx, sides.contest, result, most):
        _weigh(result, sides, job)
    return result


def _named(tx: Tx, client: Client, group_id: str | None) -> Group | None:
    if not group_id:
        return None
    stands = next((g for g in service.groups_of(tx, client.no) if g.id == group_id), None)
    if stands is None or stands.is_default:
        raise bad_request(
            [Fault("group_id", "is not a job group of the client that can be changed")]
        )
    return stands


def _sides(contest: Contest, stands: Group | None, filters: Branch, priority: int | None) -> _Sides:
    own_no, born, own_priority = 0, _NEWEST, _PRIORITY
    if stands is not None:
        own_no, born, own_priority = stands.no, stands.no, stands.priority
    rank = (own_priority if priority is None else priority, born)
    others = [one.group_no for one in contest.contenders if one.group_no != own_no]
    own = Matcher([Contender(rank, own_no, filters)], contest.today, contest.places)
    now = contest.matcher()
    return _Sides(contest, rank, own_no, own, now, contest.matcher(others) if own_no else now)


def _live(tx: Tx, contest: Contest, found: GroupPreview, most: int) -> Iterator[Sequence[Any]]:
    """The facts of each live job."""
    after = 0
    while some := candidates(tx, contest, after, min(most, BATCH) or 1):
        if not most:
            found.complete = False
            return
        for job in some:
            if job.live:
                found.looked_at += 1
                yield job.facts
        after = some[-1].no
        most -= len(some)


def _weigh(found: GroupPreview, sides: _Sides, job: Sequence[Any]) -> None:
    """Count one job: where it is, and where it would be."""
    holds = sides.own.best(job) is not None
    if not holds and not sides.own_no:
        return
    owner = sides.now.best(job)
    rival = owner if sides.rivals is sides.now else sides.rivals.best(job)
    taken = holds and (rival is None or sides.rank < sides.contest.rank(rival))
    if taken:
        found.taken_from[sides.contest.default_no or 0 if owner is None else owner] += 1
        if len(found.refs) < MOST_REFS:
            found.refs.append(job[_REF])
    elif holds and rival is not None:
        found.kept_by[rival] += 1
    if not taken and owner == sides.own_no:
        found.given_up += 1
