"""The terms under which a client's events are judged: its zone, currency, caps, windows, markups,
and what makes its clicks payable.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from handbill.campaigns.service import campaigns_by_number
from handbill.clients.service import clients_by_number
from handbill.core.attribution import window_days
from handbill.core.charging import Limit, Place, budget_limit, limits_of
from handbill.core.click_definitions import Definition
from handbill.core.markups import Marking, override_ppm
from handbill.core.nouns import Campaign, Client, Group
from handbill.definitions.service import Held, held_at
from handbill.groups.service import groups_by_number
from handbill.ledger import rows
from handbill.markups.service import steps_at
from handbill.publishers.service import publishers_by_number
from handbill.store.records import Tx


class Terms(NamedTuple):
    """Of one client; equal terms judge alike. ``held``: by publisher, the rules for its clicks.
    ``pay_every_apply``: the publishers that are paid for further applies of a click too.
    """

    zone: str
    currency: str
    limits: Mapping[Place, tuple[Limit, ...]]
    windows: Mapping[Place, int]
    held: Mapping[int, Held]
    markings: Mapping[Place, Marking]
    pay_every_apply: frozenset[int] = frozenset()


def read_terms(
    tx: Tx, places: Iterable[Place], otherwise: Definition | None = None
) -> dict[int, Terms]:
    """The terms of every client of these places. A client that is not there has none.

    ``otherwise``: the rules for clicks where none are defined.
    """
    places = sorted(set(places))
    clients = clients_by_number(tx, (place.client_no for place in places))
    campaigns = campaigns_by_number(tx, (place.campaign_no for place in places))
    groups = groups_by_number(tx, (place.group_no for place in places))
    publishers = publishers_by_number(tx, (place.publisher_no for place in places))
    steps = steps_at(tx, places)
    currencies = rows.currencies(tx, {client.agency_no for client in clients.values()})
    every_apply = frozenset(no for no, it in publishers.items() if it.body.pay_every_apply)
    found = {
        no: Terms(client.zone, currencies.get(client.agency_no, ""), {}, {}, {}, {}, every_apply)
        for no, client in clients.items()
    }
    held = held_at(
        tx,
        {
            (publisher_no, client_no): (publishers[publisher_no], client_no)
            for client_no, _, _, publisher_no in places
            if publisher_no in publishers
        }.values(),
        otherwise or Definition(),
    )
    for (publisher_no, client_no), rules in held.items():
        if client_no in found:
            found[client_no].held[publisher_no] = rules  # type: ignore[index]
    for place in places:
        client = clients.get(place.client_no)
        if client is None:
            continue
        campaign, group = campaigns.get(place.campaign_no), groups.get(place.group_no)
        publisher = publishers.get(place.publisher_no)
        terms = found[place.client_no]
        name = publisher.id if publisher else ""
        limits = _limits(place, client, campaign, group, name)
        terms.limits[place] = tuple(limits)  # type: ignore[index]
        terms.windows[place] = window_days(  # type: ignore[index]
            client.body.apply_window_days,
            campaign.body.override.apply_window_days if campaign else None,
            group.body.override.apply_window_days if group else None,
        )
        terms.markings[place] = Marking(  # type: ignore[index]
            steps[place],
            override_ppm(
                campaign.body.override.markup_ppm if campaign else None,
                group.body.override.markup_ppm if group else None,
            ),
        )
    return found


def _limits(
    place: Place, client: Client, campaign: Campaign | None, group: Group | None, publisher: str
) -> Iterable[Limit]:
    yield from limits_of("client", f"{place.client_no}", client.body.caps)
    if campaign is not None:
        yield from limits_of("campaign", f"{place.campaign_no}", campaign.body.caps)
        entity = f"{place.campaign_no}/{place.publisher_no}"
        cap = campaign.body.placement_caps.get(publisher)
        yield from budget_limit("campaign_placement", entity, cap)
    if group is not None:
        yield from limits_of("group", f"{place.group_no}", group.body.caps)
        entity = f"{place.group_no}/{place.publisher_no}"
        for placement in group.body.all_placements:
            if placement.publisher_id == publisher:
                yield from budget_limit("placement", entity, placement.budget)
