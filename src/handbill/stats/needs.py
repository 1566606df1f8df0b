"""What needs somebody, over all clients of an agency: from what each room keeps, newest first.

At most ``MOST`` of each cause are looked at, so that the answer is bounded.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from handbill.callbacks import service as callbacks
from handbill.campaigns import service as campaigns
from handbill.clients import service as clients
from handbill.core.charging import Scope
from handbill.core.feed_runs import FeedRun
from handbill.core.feeds import Feed
from handbill.core.needs import FOR_EMPLOYERS, STOPPED, Cause, Kind
from handbill.core.nouns import Campaign, Client, Group, Publisher
from handbill.core.rule_conditions import Rule
from handbill.core.standing.reasons import ON_PURPOSE, Reason
from handbill.feeds import service as feeds
from handbill.groups import service as groups
from handbill.kit.instants import Instant
from handbill.listings import copies, delivering
from handbill.listings.resolving import AroundEntity
from handbill.publishers import service as publishers
from handbill.rules import service as rules
from handbill.standing import service as standing
from handbill.store.records import Tx

MOST: Final = 1_000
_KINDS: Final[Mapping[type, Kind]] = {Client: "CLIENT", Campaign: "CAMPAIGN", Group: "JOBGROUP"}
_STOPPED: Final = tuple(str(one) for one in STOPPED)


class Need(NamedTuple):
    """``kind``, ``id``, ``name``: the entity. ``around``, ``reason``: of what is stopped; its fix
    is the reason's. ``client`` None: it is the agency's own.
    """

    cause: Cause
    since_at: Instant
    kind: Kind
    id: str
    name: str
    words: str
    client: Client | None = None
    around: AroundEntity | None = None
    reason: Reason | None = None


class _Stopped(NamedTuple):
    """Something that is stopped, which is looked up only if it is shown. ``no``: its number."""

    cause: Cause
    since_at: Instant
    client_no: int
    kind: Scope
    no: int
    reason: Reason


def needs(
    tx: Tx,
    agency_no: int,
    skip: int,
    limit: int,
    now: Instant,
    only: frozenset[int] | None = None,
    *,
    retried_too: bool = False,
) -> tuple[list[Need], int]:
    """Some needs, newest first, and how many there are. ``only``: as an employer may see it, for
    whom there are no others than these clients. ``retried_too``: also feeds that have failed and
    are being imported again.
    """
    every = {one.no: one for one in clients.of_agency(tx, agency_no, only) if one.status == "A"}
    needed: list[Need | _Stopped] = [
        *_stopped(tx, every),
        *_imports(tx, every, retried_too=retried_too),
    ]
    if only is None:
        needed += [*_rules(tx, every), *_publishers(tx, agency_no, now), *_callbacks(tx, agency_no)]
    else:
        needed = [one for one in needed if one.cause in FOR_EMPLOYERS]
    needed.sort(key=lambda one: -one.since_at)  # stable: each source has an order of its own
    shown = needed[skip : skip + limit]
    return _looked_up(tx, every, shown), len(needed)


def _stopped(tx: Tx, every: Mapping[int, Client]) -> Iterator[_Stopped]:
    """Clients, campaigns and job groups that stand still, and not because somebody wants it or for
    a cause further up.
    """
    for client_no, one in standing.in_states(tx, every, _STOPPED, MOST):
        resolved = standing.resolved_in(one)
        blocking = [it for it in resolved.all_reasons if it.blocking]
        if not ON_PURPOSE.intersection(it.code for it in blocking):
            yield _Stopped(
                Cause(one.status), one.since_at, client_no, one.kind, int(one.entity), blocking[0]
            )


def _looked_up(tx: Tx, every: Mapping[int, Client], some: Sequence[Need | _Stopped]) -> list[Need]:
    entities = [one for one in some if isinstance(one, _Stopped)]
    below = groups.groups_by_number(tx, (it.no for it in entities if it.kind == "group"))
    numbers = {it.no for it in entities if it.kind == "campaign"}
    above = campaigns.campaigns_by_number(
        tx, numbers | {group.campaign_no for group in below.values()}
    )
    looked_up = []
    for one in some:
        if isinstance(one, Need):
            looked_up.append(one)
            continue
        group = below[one.no] if one.kind == "group" else None
        campaign_no = group.campaign_no if group else one.no
        campaign = above[campaign_no] if one.kind != "client" else None
        looked_up.append(_needed(one, AroundEntity(every[one.client_no], campaign, group)))
    return looked_up


def _needed(one: _Stopped, around: AroundEntity) -> Need:
    lowest = around.group or around.campaign or around.client
    name = lowest.body.company_name if isinstance(lowest, Client) else lowest.body.name
    return Need(
        cause=one.cause,
        since_at=one.since_at,
        kind=_KINDS[type(lowest)],
        id=lowest.id,
        name=name,
        words=one.reason.words,
        client=around.client,
        around=around,
        reason=one.reason,
    )


def _imports(tx: Tx, every: Mapping[int, Client], *, retried_too: bool) -> Iterator[Need]:
    """Feeds whose last run has failed."""
    failed: list[tuple[Feed, FeedRun]] = feeds.failing(tx, every, MOST, of_ended=retried_too)
    for feed, run in failed:
        why = run.body.message or "no reason is known"
        yield Need(
            Cause.IMPORT_FAILED,
            run.ended_at or run.created_at,
            "FEED",
            feed.id,
            feed.body.url,
            f"the last import has failed: {why}",
            every[feed.client_no],
        )


def _rules(tx: Tx, every: Mapping[int, Client]) -> Iterator[Need]:
    paused: list[Rule] = rules.paused(tx, every, MOST)
    for one in paused:
        client = every[one.client_no]
        name = one.body.name
        yield Need(
            Cause.RULE_PAUSED, one.updated_at, "RULE", one.id, name, "the rule is paused", client
        )


def _publishers(tx: Tx, agency_no: int, now: Instant) -> Iterator[Need]:
    """Publishers that did not fetch when they were expected to, and those to which a file cannot be
    delivered: each once for each cause.
    """
    active = {one.no: one for one in publishers.publishers_of(tx, agency_no) if one.status == "A"}
    late: dict[int, list[copies.Copy]] = {}
    for copy in copies.lost(tx, now, active):
        late.setdefault(copy.publisher_no, []).append(copy)
    for no, some in late.items():
        since = max(copy.held.fetched_at or copy.written_at or 0 for copy in some)
        words = "it has not fetched its feed for three times its usual interval"
        yield _of_publisher(Cause.NOT_FETCHED, since, active[no], words)
    for no, failed in delivering.failing(tx, active, MOST).items():
        more = f", and {len(failed) - 1} more files" if len(failed) > 1 else ""
        words = f"{failed[0].path} cannot be delivered{more}: {failed[0].failure}"
        yield _of_publisher(Cause.NOT_DELIVERED, failed[0].tried_at, active[no], words)


def _of_publisher(cause: Cause, since_at: Instant, one: Publisher, words: str) -> Need:
    return Need(cause, since_at, "PUBLISHER", one.id, one.body.name, words)


def _callbacks(tx: Tx, agency_no: int) -> Iterator[Need]:
    """Notifications of reports that are no longer tried."""
    for one in callbacks.given_up_of(tx, agency_no, MOST):
        why = one.failure or f"the answer was {one.status}"
        words = f"the notification about {one.subject} was not delivered: {why}"
        yield Need(Cause.CALLBACK_FAILED, one.created_at, "CALLBACK", one.id, one.url, words)
