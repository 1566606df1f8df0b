"""The standing of a client, campaign, job group, placement or job, and which copies are in use.

These are as control has written them; switches, dates, weekdays and a job's settings are read now.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from handbill.campaigns import service as campaigns
from handbill.core.in_force import Thing
from handbill.core.nouns import Campaign, Client, Group, Job, Publisher
from handbill.core.standing.jobs import Above, job_resolved
from handbill.core.standing.reasons import PLAIN, Resolved
from handbill.core.standing.switches import Trader, read_now
from handbill.core.standing.tree import Spot, standing_of_default
from handbill.groups import service as groups
from handbill.groups.explaining import belonging
from handbill.jobs import service as jobs
from handbill.kit.faults import not_found
from handbill.kit.instants import Instant
from handbill.listings.copies import Copy, fetched_last
from handbill.listings.offers import placed_publishers
from handbill.publishers import service as publishers
from handbill.rates import service as rates
from handbill.standing import service as standing
from handbill.store.records import Tx


class AroundEntity(NamedTuple):
    """What stands above an entity, and itself: whatever a fix may name."""

    client: Client
    campaign: Campaign | None = None
    group: Group | None = None
    job: Job | None = None


class HeldFile(NamedTuple):
    """What a publisher holds of its file; ``copy`` None: it has no file yet."""

    publisher: Publisher
    copy: Copy | None


class ResolvedEntity(NamedTuple):
    """``evaluated_at`` None: control has not looked at the client yet."""

    resolved: Resolved
    evaluated_at: Instant | None
    around: AroundEntity
    files: list[HeldFile]


def of_client(tx: Tx, client: Client, now: Instant) -> ResolvedEntity:
    """The standing of a client; its publishers are all where it places or posts."""
    return _resolved_trader(tx, AroundEntity(client), placed_publishers(tx, client), now)


def of_all(tx: Tx, client: Client) -> list[ResolvedEntity]:
    """The client, and those of its campaigns and job groups that do not run freely: each campaign
    before its job groups. Without copies.
    """
    known, evaluated_at = standing.resolved_of(tx, client.no), _evaluated(tx, client)
    every: list[tuple[Thing, AroundEntity]] = [(("client", f"{client.no}"), AroundEntity(client))]
    campaigns_of = campaigns.campaigns_of(tx, client.no)
    below = groups.children_of(tx, [one.no for one in campaigns_of])
    for campaign in campaigns_of:
        every.append((("campaign", f"{campaign.no}"), AroundEntity(client, campaign)))
        every += [
            (("group", f"{group.no}"), AroundEntity(client, campaign, group))
            for group in below[campaign.no]
        ]
    return [
        ResolvedEntity(known[thing], evaluated_at, around, [])
        for thing, around in every
        if thing in known
    ]


def of_campaign(
    tx: Tx, client: Client, campaign: Campaign, below: Iterable[Group], now: Instant
) -> ResolvedEntity:
    """The standing of a campaign. ``below``: its job groups."""
    placed = {publisher_id for group in below for publisher_id in _placed(group)}
    return _resolved_trader(tx, AroundEntity(client, campaign), _of_ids(tx, client, placed), now)


def of_group(
    tx: Tx, client: Client, campaign: Campaign, group: Group, now: Instant
) -> ResolvedEntity:
    """The standing of a job group."""
    if group.is_default:
        around = AroundEntity(client, campaign, group)
        return ResolvedEntity(standing_of_default(group), _evaluated(tx, client), around, [])
    placed = _of_ids(tx, client, _placed(group))
    return _resolved_trader(tx, AroundEntity(client, campaign, group), placed, now)


def of_lowest(
    tx: Tx, client: Client, campaign: Campaign | None, group: Group | None, now: Instant
) -> ResolvedEntity:
    """The standing of the lowest of these."""
    if campaign is None:
        return of_client(tx, client, now)
    if group is None:
        below = groups.children_of(tx, [campaign.no])[campaign.no]
        return of_campaign(tx, client, campaign, below, now)
    return of_group(tx, client, campaign, group, now)


def standing_in(known: Mapping[Thing, Resolved], line: Sequence[Trader], now: Instant) -> Resolved:
    """The standing of a client, campaign or job group, from those of its client. ``line``: it and
    those above it.
    """
    one = line[0]
    if isinstance(one, Group) and one.is_default:
        return standing_of_default(one)
    return read_now(known.get(_thing(one), PLAIN), line, now)


def _thing(one: Trader) -> Thing:
    if isinstance(one, Group):
        return "group", f"{one.no}"
    return ("client" if isinstance(one, Client) else "campaign"), f"{one.no}"


def standing_at(tx: Tx, group: Group, publisher: Publisher) -> Resolved:
    """The standing of a job group at one of its publishers, as control saw it last."""
    thing: Thing = ("placement", f"{group.no}/{publisher.no}")
    return standing.resolved_of(tx, group.client_no).get(thing, PLAIN)


def of_placement(
    tx: Tx, around: AroundEntity, group: Group, publisher_id: str, now: Instant
) -> ResolvedEntity:
    """A job group's standing at one of its publishers. **Refuses** any other publisher (404)."""
    publisher = publisher_in(tx, around.client, group, publisher_id)
    known = standing.resolved_of(tx, around.client.no)
    there = known.get(("placement", f"{group.no}/{publisher.no}"), PLAIN)
    files = _files(tx, around.client, [publisher], now)
    return ResolvedEntity(there, _evaluated(tx, around.client), around, files)


def publisher_in(tx: Tx, client: Client, group: Group, publisher_id: str) -> Publisher:
    """One of a job group's publishers. **Refuses** any other (404)."""
    named = _of_ids(tx, client, _placed(group) & {publisher_id})
    if not named:
        raise not_found()
    return named[0]


def of_job(tx: Tx, client: Client, ref: str, now: Instant) -> ResolvedEntity:
    """The standing of the live job of that reference. **Refuses** any other alike (404)."""
    job = jobs.job_of(tx, client.no, ref)
    here = belonging(tx, client, job.no, now)
    group, campaign = here.group, here.campaign
    around = AroundEntity(client, campaign, group, job)
    known = standing.resolved_of(tx, client.no)
    placed = _of_ids(tx, client, _placed(group)) if group else []
    places = _places(known, job, campaign, group, placed) if campaign and group else []
    above = PLAIN if group is None else standing_in(known, _line(around), now)
    capped = known.get(("job", job.id), PLAIN)
    exchange = rates.exchange_of(tx, client, now)
    depends = Above(client, group, above, places, exchange)
    resolved = job_resolved(job, depends, [capped], now, exchange.today)
    files = _files(tx, client, placed, now)
    return ResolvedEntity(resolved, _evaluated(tx, client), around, files)


def _places(
    known: Mapping[Thing, Resolved],
    job: Job,
    campaign: Campaign,
    group: Group,
    placed: Iterable[Publisher],
) -> list[tuple[Spot, list[Resolved]]]:
    """A job group's placements, each with what applies there to all its jobs and to this one."""
    publishers_by_id = {one.id: one for one in placed}
    places = []
    for one in group.body.placements:
        publisher = publishers_by_id.get(one.publisher_id)
        if publisher is not None:
            things: tuple[Thing, ...] = (
                ("placement", f"{group.no}/{publisher.no}"),
                ("job_placement", f"{job.id}/{publisher.no}"),
            )
            spot = Spot(campaign, group, one, publisher)
            places.append((spot, [known.get(thing, PLAIN) for thing in things]))
    return places


def _line(around: AroundEntity) -> list[Trader]:
    """The lowest client, campaign or job group of these, and those above it."""
    return [one for one in (around.group, around.campaign, around.client) if one is not None]


def _resolved_trader(
    tx: Tx, around: AroundEntity, placed: list[Publisher], now: Instant
) -> ResolvedEntity:
    client = around.client
    resolved = standing_in(standing.resolved_of(tx, client.no), _line(around), now)
    return ResolvedEntity(resolved, _evaluated(tx, client), around, _files(tx, client, placed, now))


def _evaluated(tx: Tx, client: Client) -> Instant | None:
    evaluation = standing.evaluation_of(tx, client.no)
    return evaluation.evaluated_at if evaluation.number else None


def _placed(group: Group) -> set[str]:
    return {one.publisher_id for one in group.body.placements}


def _of_ids(tx: Tx, client: Client, ids: set[str]) -> list[Publisher]:
    return [one for one in publishers.publishers_of(tx, client.agency_no) if one.id in ids]


def _files(tx: Tx, client: Client, placed: list[Publisher], now: Instant) -> list[HeldFile]:
    copies = fetched_last(tx, [one.no for one in placed], now, client.no)
    return [HeldFile(one, copies.get(one.no)) for one in placed]
