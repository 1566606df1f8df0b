"""Use cases of markups."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC
from typing import Any

from handbill.access import service as access
from handbill.campaigns import service as campaigns
from handbill.changes.service import tell
from handbill.clients import service as clients
from handbill.core import trail
from handbill.core.changes import with_changes
from handbill.core.charging import Place
from handbill.core.markups import Markup, MarkupScopeIds, Steps, level_of, steps_of
from handbill.groups import service as groups
from handbill.host.ids import Ids, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found, refused_state
from handbill.kit.instants import SECOND, Instant
from handbill.kit.zones import zone_of
from handbill.markups import rows
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.wire.date_patterns import Read, instant_in

MOST_MARKUPS = 1_000


# ── reading ─────────────────────────────────────────────────────────────────────────────────────
def markup_of(tx: Tx, agency_no: int, markup_id: str) -> Markup:
    """The agency's live markup of that id. **Refuses** any other id alike (404)."""
    markup = rows.find(tx, agency_no, markup_id)
    if markup is None:
        raise not_found()
    return markup


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Markup], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, agency_no, skip, limit), rows.count(tx, agency_no)


def page_of_client(tx: Tx, client_no: int, skip: int, limit: int) -> tuple[list[Markup], int]:
    """Some live ones at a client or below it, oldest first, and how many there are in all."""
    return rows.page_of_client(tx, client_no, skip, limit), rows.count_of_client(tx, client_no)


def entities_of(tx: Tx, markups: Sequence[Markup]) -> dict[int, list[MarkupScopeIds]]:
    """The places of markups, by their numbers, with the ids of all that they name, deleted ones
    included.
    """
    places = [place for markup in markups for place in markup.entities]
    client_ids = _ids(clients.clients_by_number(tx, (place.client_no for place in places)))
    campaign_ids = _ids(campaigns.campaigns_by_number(tx, (one.campaign_no for one in places)))
    group_ids = _ids(groups.groups_by_number(tx, (place.group_no for place in places)))
    publisher_ids = _ids(publishers.publishers_by_number(tx, (p.publisher_no for p in places)))

    def entity(place: Place) -> MarkupScopeIds:
        client_id, level = client_ids[place.client_no], level_of(place)
        entity_id = {
            "Client": client_id,
            "Campaign": campaign_ids.get(place.campaign_no, ""),
            "JobGroup": group_ids.get(place.group_no, ""),
        }[level]
        return MarkupScopeIds(client_id, entity_id, level, publisher_ids.get(place.publisher_no))

    return {markup.no: list(map(entity, markup.entities)) for markup in markups}


def _ids(found: Mapping[int, Any]) -> dict[int, str]:
    return {no: one.id for no, one in found.items()}


def steps_at(tx: Tx, places: Iterable[Place]) -> dict[Place, Steps]:
    """The markups of each of these places over time; for the ledger."""
    places = set(places)
    return steps_of(places, rows.dated(tx, places) if places else [])


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def create(
    tx: Tx,
    ids: Ids,
    now: Instant,
    agency_no: int,
    *,
    ppm: int,
    from_at: Instant | Read,
    entities: Sequence[MarkupScopeIds],
    name: str = "",
) -> Markup:
    """Create a markup.

    **Refuses** entities that are not the agency's (404); unknown publishers, a day that is not the
    same for all of its clients, and more than a thousand markups (400).
    """
    access.lock_agency(tx, agency_no)
    places = _places(tx, agency_no, entities)
    if rows.count(tx, agency_no) >= MOST_MARKUPS:
        raise refused_state("", f"there are {MOST_MARKUPS} markups already; delete one first")
    markup = Markup(
        no=0,
        id=new_uuid(ids),
        agency_no=agency_no,
        name=name,
        from_at=_from(tx, from_at, places),
        ppm=ppm,
        entities=places,
        created_at=now,
        updated_at=now,
    )
    rows.add(tx, markup)
    _tell(tx, now, None, markup)
    return markup


def update(
    tx: Tx, now: Instant, agency_no: int, markup_id: str, changes: Mapping[str, Any]
) -> None:
    """Change what is given; nothing given changes nothing. Booked amounts stay.

    **Refuses** as ``create``; and (400) clearing anything but the name.
    """
    access.lock_agency(tx, agency_no)
    markup = markup_of(tx, agency_no, markup_id)
    changed = with_changes(markup, changes)
    if "entities" in changes:
        changed.entities = _places(tx, agency_no, changes["entities"])
    changed.from_at = _from(tx, changed.from_at, changed.entities)
    if changed != markup:
        rows.save(tx, changed, now)
        _tell(tx, now, markup, changed)


def delete(tx: Tx, now: Instant, agency_no: int, markup_id: str) -> None:
    """Delete it for everything that is judged from now on; booked amounts stay."""
    access.lock_agency(tx, agency_no)
    markup = markup_of(tx, agency_no, markup_id)
    rows.delete(tx, markup.no, now)
    _tell(tx, now, markup, None)


def _tell(tx: Tx, now: Instant, before: Markup | None, after: Markup | None) -> None:
    """Record it; of a markup that names only one client, as that client's. Have its clients looked
    at: what is left of their budgets buys more, or less.
    """
    states = [state_of(tx, one) if one is not None else {} for one in (before, after)]
    markup = after or before
    assert markup is not None, "one of them is there"
    named = {place.client_no for one in (before, after) if one for place in one.entities}
    for client in clients.clients_by_number(tx, named).values():
        clients.wake_listings(tx, client, now)
    client_no = named.pop() if len(named) == 1 else None
    entity = trail.TrailEntity("MARKUP", markup.id, markup.agency_no, client_no)
    tell(tx, now, entity, *states)


def state_of(tx: Tx, markup: Markup) -> dict[str, Any]:
    """The state of a markup in its changes, with the ids of what it names."""
    entities = [entity._asdict() for entity in entities_of(tx, [markup])[markup.no]]
    return {"name": markup.name, "from_at": markup.from_at, "ppm": markup.ppm, "entities": entities}


def _from(tx: Tx, from_at: Instant | Read, entities: Sequence[Place]) -> Instant:
    """When a markup begins, to the second. **Refuses** (400) a time that needs a zone if the
    clients' zones differ.
    """
    if isinstance(from_at, int):
        return from_at
    concerned = clients.clients_by_number(tx, (place.client_no for place in entities)).values()
    zones = {client.zone for client in concerned}
    if from_at.moment.tzinfo is None and len(zones) != 1:
        raise refused_state("from_at", "requires an offset: the clients' time zones differ")
    zone = zone_of(zones.pop()) if len(zones) == 1 else UTC
    return max(0, instant_in(from_at, zone, last=False)) // SECOND * SECOND


def _places(tx: Tx, agency_no: int, entities: Sequence[MarkupScopeIds]) -> tuple[Place, ...]:
    """The entities by number. **Refuses** (404) ids that are not the agency's or are of another
    level or client; (400) unknown publishers.
    """
    places = [_place_of(tx, agency_no, entity) for entity in entities]
    if any(entity.publisher_id is not None for entity in entities):
        known = {one.id: one.no for one in publishers.publishers_of(tx, agency_no)}
        faults = [
            Fault(f"entities.{n}.publisher_id", "is not a publisher of the agency")
            for n, entity in enumerate(entities)
            if entity.publisher_id is not None and entity.publisher_id not in known
        ]
        if faults:
            raise bad_request(faults)
        places = [
            place._replace(publisher_no=known.get(entity.publisher_id or "", 0))
            for place, entity in zip(places, entities, strict=True)
        ]
    return tuple(places)


def _place_of(tx: Tx, agency_no: int, entity: MarkupScopeIds) -> Place:
    client = clients.client_of(tx, agency_no, entity.client_id)
    if entity.level == "Campaign":
        campaign = campaigns.campaign_of(tx, client.no, entity.entity_id)
        return Place(client.no, campaign.no, 0, 0)
    if entity.level == "JobGroup":
        group = groups.group_of(tx, client.no, entity.entity_id)
        return Place(client.no, group.campaign_no, group.no, 0)
    if entity.entity_id != client.id:
        raise not_found()
    return Place(client.no, 0, 0, 0)
