"""Explains why a job is in its job group and in no other, by the filters and ranks that matching
uses now.
"""

from typing import NamedTuple

from handbill.campaigns import service as campaigns
from handbill.core.filter_code import JobFacts
from handbill.core.nouns import Campaign, Client, Group
from handbill.core.states import ACTIVE, State, campaign_state, group_state
from handbill.core.tracing import Trace, trace
from handbill.groups import service
from handbill.groups.contest import Contest, contest_of, warnings_of
from handbill.groups.matching import candidate_of
from handbill.kit.faults import Fault
from handbill.kit.instants import Instant
from handbill.store.records import Tx

MOST_LOSERS = 100


class Loser(NamedTuple):
    """A job group that does not have the job. ``trace`` None: its filter was not evaluated."""

    group: Group
    campaign: Campaign
    reason: str
    """NOT_ACTIVE, NO_FILTER, NO_MATCH, or LOWER_RANK."""
    state: State
    trace: Trace | None
    warnings: list[Fault]


class Belonging(NamedTuple):
    """Where a job belongs. ``group`` None: no filter matches, and there is no default group.
    ``warnings``: fields of its filter that no job has. ``trace`` None: no filter matches, so it is
    the default group. ``pending``: the records do not show it yet. ``losers``: best ranked first,
    inactive ones last; at most 100.
    """

    group: Group | None
    campaign: Campaign | None
    trace: Trace | None
    warnings: list[Fault]
    pending: bool
    losers: list[Loser]
    loser_count: int


def belonging(tx: Tx, client: Client, job_no: int, now: Instant) -> Belonging:
    """Match one job as ``matching`` would, whether or not it is valid, and explain the result."""
    contest = contest_of(tx, client, now)
    candidate, marked = candidate_of(tx, contest, job_no)
    facts = JobFacts(*candidate.facts)
    above = {campaign.no: campaign for campaign in campaigns.campaigns_of(tx, client.no)}
    groups = {g.no: g for g in service.groups_of(tx, client.no) if g.campaign_no in above}
    winner_no = contest.matcher().best(facts)
    group_no = contest.default_no if winner_no is None else winner_no
    group = None if group_no is None else groups.get(group_no)
    losers = _ranked(contest, groups, group_no)
    shown = [_loser(contest, one, above[one.campaign_no], facts) for one in losers[:MOST_LOSERS]]
    recorded = group_no if candidate.live else None
    return Belonging(
        group,
        None if group is None else above[group.campaign_no],
        None if winner_no is None or group is None else _trace(contest, group, facts),
        [] if group is None else _warnings(contest, group),
        marked or candidate.group_no != recorded,
        shown,
        len(losers),
    )


def _ranked(contest: Contest, groups: dict[int, Group], winner_no: int | None) -> list[Group]:
    others = [g for g in groups.values() if g.no != winner_no and not g.is_default]
    return sorted(others, key=lambda g: (g.no not in contest.ranks, g.priority, g.no))


def _loser(contest: Contest, group: Group, campaign: Campaign, facts: JobFacts) -> Loser:
    state = group_state(group, campaign_state(campaign, ACTIVE, contest.today), contest.today)
    if group.no not in contest.ranks:
        reason = "NO_FILTER" if state.trades else "NOT_ACTIVE"
        return Loser(group, campaign, reason, state, None, _warnings(contest, group))
    traced = _trace(contest, group, facts)
    reason = "LOWER_RANK" if traced.holds else "NO_MATCH"
    return Loser(group, campaign, reason, state, traced, _warnings(contest, group))


def _warnings(contest: Contest, group: Group) -> list[Fault]:
    filters = group.body.filters
    return [] if filters is None else warnings_of(filters, contest)


def _trace(contest: Contest, group: Group, facts: JobFacts) -> Trace:
    assert group.body.filters is not None, "a contender has a filter"
    return trace(group.body.filters, facts, contest.today, contest.places)
