"""The terms under which a client's events are judged: its zone, currency, caps, windows, markups,
and what makes its clicks payable.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, tzinfo
from typing import Any, NamedTuple

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.attribution import window_days
from handbill.core.charging import (
    Limit,
    Limits,
    Place,
    budget_limit,
    entities_of,
    limits_of,
    reserving,
)
from handbill.core.click_definitions import Definition
from handbill.core.in_force import Ceiling
from handbill.core.job_caps import JobCaps, each_job, job_limits
from handbill.core.markups import Marking, Steps, override_ppm
from handbill.core.nouns import Campaign, Caps, Client, Group, Publisher
from handbill.definitions.service import PublisherRules, held_at
from handbill.groups.service import groups_by_number
from handbill.jobs.service import capped_jobs
from handbill.kit.zones import zone_of
from handbill.ledger import rows
from handbill.markups.service import steps_at
from handbill.publishers.service import publishers_by_number, publishers_of
from handbill.standing.service import ceilings_since
from handbill.store.records import Tx


class ClientTerms(NamedTuple):
    """The terms of one client; equal terms judge alike. ``held``: by publisher, the rules for its
    clicks. ``pay_every_apply``: the publishers that are also paid for further applies of a click.
    ``each_job``: by job group, the caps of each of its jobs; ``jobs``: by id, those of single jobs.
    ``names`` and ``currencies``: of the publishers, by number.
    """

    zone: str
    currency: str
    limits: Mapping[Place, tuple[Limit, ...]]
    windows: Mapping[Place, int]
    held: Mapping[int, PublisherRules]
    markings: Mapping[Place, Marking]
    pay_every_apply: frozenset[int] = frozenset()
    each_job: Mapping[int, Caps] = {}
    jobs: Mapping[bytes, JobCaps] = {}
    names: Mapping[int, str] = {}
    currencies: Mapping[int, str] = {}

    def of_job(self, group_no: int, publisher_no: int, job_id: bytes) -> tuple[Limit, ...]:
        """The limits of one job at one place; most jobs have none."""
        each, own = self.each_job.get(group_no), self.jobs.get(job_id)
        if (each is None and own is None) or not job_id:
            return ()
        name = self.names.get(publisher_no, "")
        return job_limits(group_no, publisher_no, job_id.hex(), each, own, name)


class Basis(NamedTuple):
    """What terms follow from, as it was read: nouns by number."""

    places: list[Place]
    clients: Mapping[int, Client]
    campaigns: Mapping[int, Campaign]
    groups: Mapping[int, Group]
    publishers: Mapping[int, Publisher]
    steps: Mapping[Place, Steps]
    currencies: Mapping[int, str]
    capped: Mapping[bytes, JobCaps]
    numbers: Mapping[int, Mapping[str, int]]
    ceilings: Mapping[int, Sequence[Ceiling]]
    held: Mapping[tuple[int, int], PublisherRules]


def read_basis(
    tx: Tx,
    places: Iterable[Place],
    otherwise: Definition | None = None,
    jobs: Iterable[bytes] = (),
    since: date = date.max,
) -> Basis:
    """What the terms of every client of these places follow from.

    ``otherwise``: the rules for clicks where none are defined. ``jobs``: those whose caps are
    needed. ``since``: the first day whose ceilings are needed.
    """
    places = sorted(set(places))
    assert all(min(place) >= 0 for place in places), "a place is named by numbers"
    clients = clients_by_number(tx, (place.client_no for place in places))
    groups = groups_by_number(tx, (place.group_no for place in places))
    publishers = publishers_by_number(tx, (place.publisher_no for place in places))
    asked = {
        (publisher_no, client_no): (publishers[publisher_no], client_no)
        for client_no, _, _, publisher_no in places
        if publisher_no in publishers
    }
    return Basis(
        places,
        clients,
        campaigns_by_number(tx, (place.campaign_no for place in places)),
        groups,
        publishers,
        steps_at(tx, places),
        rows.currencies(tx, {client.agency_no for client in clients.values()}),
        capped_jobs(tx, jobs),
        numbers_of(tx, clients, groups),
        ceilings_since(tx, clients.keys(), since),
        held_at(tx, asked.values(), otherwise or Definition()),
    )


OfPlace = tuple[tuple[Limit, ...], int, Marking]
Places = dict[Place, tuple[tuple[Any, ...], OfPlace]]
"""The results for places, and what they were computed from."""
_MOST_PLACES = 100_000


def terms_of(basis: Basis, known: Places | None = None) -> dict[int, ClientTerms]:
    """The terms of every client. A client that does not exist has none. ``known``: earlier results
    for places, computed again only if what they follow from differs.
    """
    known = {} if known is None else known
    if len(known) > _MOST_PLACES:
        known.clear()
    publishers = basis.publishers
    shared = (
        frozenset(no for no, it in publishers.items() if it.body.pay_every_apply),
        {no: publisher.id for no, publisher in publishers.items()},
        {no: publisher.body.currency for no, publisher in publishers.items()},
    )
    each: dict[int, dict[int, Caps]] = {no: {} for no in basis.clients}
    for no, group in basis.groups.items():
        if (caps := each_job(group.body.caps)) and group.client_no in each:
            each[group.client_no][no] = caps
    by_client = {
        no: ClientTerms(
            client.zone,
            basis.currencies.get(client.agency_no, ""),
            {},
            {},
            {},
            {},
            shared[0],
            each[no],
            basis.capped,
            *shared[1:],
        )
        for no, client in basis.clients.items()
    }
    for (publisher_no, client_no), rules in basis.held.items():
        if client_no in by_client:
            by_client[client_no].held[publisher_no] = rules  # type: ignore[index]
    ceilings = {no: _by_entity(some) for no, some in basis.ceilings.items()}
    assert ceilings.keys() <= by_client.keys(), "ceilings are of those that were asked for"
    for place in basis.places:
        if place.client_no in by_client:
            terms = by_client[place.client_no]
            limits, window, marking = _at(place, terms, basis, ceilings, known)
            terms.limits[place] = limits  # type: ignore[index]
            terms.windows[place] = window  # type: ignore[index]
            terms.markings[place] = marking  # type: ignore[index]
    return by_client


def _at(
    place: Place,
    terms: ClientTerms,
    basis: Basis,
    ceilings: Mapping[int, "_OfEntity"],
    known: Places,
) -> OfPlace:
    client = basis.clients[place.client_no]
    campaign, group = basis.campaigns.get(place.campaign_no), basis.groups.get(place.group_no)
    named = terms.names.get(place.publisher_no, ""), basis.numbers.get(client.agency_no, {})
    of_place = tuple(_ceilings(place, ceilings.get(place.client_no, {}))) if ceilings else ()
    of = (client, campaign, group, named, basis.steps[place], of_place)
    former = known.get(place)
    assert client.no == place.client_no, "terms are the client's own"
    if former is not None and former[0] == of:
        return former[1]
    own = override_ppm(
        campaign.body.override.markup_ppm if campaign else None,
        group.body.override.markup_ppm if group else None,
    )
    made = (
        Limits((*_limits(place, client, campaign, group, named), *of_place)),
        window_days(
            client.body.apply_window_days,
            campaign.body.override.apply_window_days if campaign else None,
            group.body.override.apply_window_days if group else None,
        ),
        Marking(basis.steps[place], own),
    )
    known[place] = (of, made)
    return made


def read_terms(
    tx: Tx,
    places: Iterable[Place],
    otherwise: Definition | None = None,
    jobs: Iterable[bytes] = (),
    since: date = date.max,
) -> dict[int, ClientTerms]:
    """The terms of every client of these places, read at once (see ``read_basis``)."""
    return terms_of(read_basis(tx, places, otherwise, jobs, since))


def zones_of(tx: Tx, client_nos: Iterable[int]) -> dict[int, tzinfo]:
    """The zone of each of these clients; UTC for one that does not exist."""
    client_nos = list(client_nos)
    known = clients_by_number(tx, client_nos)
    return {no: zone_of(known[no].zone if no in known else "UTC") for no in client_nos}


def _limits(
    place: Place,
    client: Client,
    campaign: Campaign | None,
    group: Group | None,
    named: tuple[str, Mapping[str, int]],
) -> Iterable[Limit]:
    publisher, numbers = named
    assert client.no == place.client_no, "caps are the client's own"
    yield from limits_of("client", f"{place.client_no}", client.body.caps)
    if campaign is not None:
        yield from limits_of("campaign", f"{place.campaign_no}", campaign.body.caps)
        entity = f"{place.campaign_no}/{place.publisher_no}"
        cap = campaign.body.placement_caps.get(publisher)
        yield from budget_limit("campaign_placement", entity, cap)
    if group is not None:
        for limit in limits_of("group", f"{place.group_no}", group.body.caps):
            yield reserving(limit, group.body.placements, group.no, publisher, numbers)
        entity = f"{place.group_no}/{place.publisher_no}"
        for placement in group.body.all_placements:
            if placement.publisher_id == publisher:
                yield from budget_limit("placement", entity, placement.budget)


_OfEntity = Mapping[tuple[str, str], Sequence[Limit]]


def _by_entity(ceilings: Iterable[Ceiling]) -> _OfEntity:
    by_entity: dict[tuple[str, str], list[Limit]] = {}
    for scope, entity, measure, day_on, most, _ in sorted(ceilings):
        limit = Limit(scope, entity, measure, "Daily", most, on=date.fromisoformat(day_on))
        by_entity.setdefault((scope, entity), []).append(limit)
    return by_entity


def _ceilings(place: Place, by_entity: _OfEntity) -> Iterable[Limit]:
    """The most that days may take of the paced caps over a place."""
    for at in entities_of(place) if by_entity else ():
        yield from by_entity.get(at, ())


def numbers_of(
    tx: Tx, clients: Mapping[int, Client], groups: Mapping[int, Group]
) -> dict[int, dict[str, int]]:
    """Publishers' numbers by id, for each agency where a job group has locked any budget."""
    agencies = {
        clients[group.client_no].agency_no
        for group in groups.values()
        if group.client_no in clients
        and any(one.budget is not None and one.budget.locked for one in group.body.placements)
    }
    return {no: {one.id: one.no for one in publishers_of(tx, no)} for no in agencies}
