"""Use cases of clients."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from handbill.clients import rows
from handbill.core.changes import fixed_faults, settled
from handbill.core.nouns import Client, ClientBody
from handbill.host.ids import Ids, new_name, new_uuid
from handbill.kit.faults import Fault, bad_request, not_found
from handbill.kit.instants import Instant
from handbill.kit.zones import day_of, days_later, zone_of
from handbill.publishers import service as publishers
from handbill.store.records import Tx
from handbill.store.records.tables import clients
from handbill.work import kinds
from handbill.work.queue import enqueue

MOST_CUSTOM_FIELDS = 50
_FIRST_TERM_DAYS = 7
_FIXED = (
    "company_name",
    "start_on",
    "client_type",
    "ats",
    "country",
    "industry",
    "frequency_hours",
    "start_default_campaign",
    "sj_create",
)
"""The parts of a body that cannot be changed after creation."""


def find_client(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    """The agency's own live client; None for every other id alike."""
    return rows.find(tx, agency_no, client_id)


def lock(tx: Tx, client_no: int) -> None:
    """Let no other writer decide about this client until the transaction ends."""
    tx.lock_row(clients, client_no)


def hold(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    """``find_client``, and ``lock``: the client as it is after the wait."""
    return rows.hold(tx, agency_no, client_id)


def client_of(tx: Tx, agency_no: int, client_id: str) -> Client:
    """The agency's own live client. **Refuses** any other id alike (404)."""
    client = rows.find(tx, agency_no, client_id)
    if client is None:
        raise not_found()
    return client


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> tuple[list[Client], int]:
    """Some live ones, oldest first, and how many there are in all."""
    return rows.page(tx, agency_no, skip, limit), rows.count(tx, agency_no)


def of_agency(tx: Tx, agency_no: int, only: frozenset[int] | None = None) -> list[Client]:
    """All live ones of an agency, oldest first. ``only``: as if there were no others."""
    every = rows.of_agency(tx, agency_no)
    return every if only is None else [one for one in every if one.no in only]


def clients_by_number(tx: Tx, nos: Iterable[int]) -> dict[int, Client]:
    """By row number, deleted ones included; for rooms that store numbers (ledger, listings)."""
    return {client.no: client for client in rows.by_numbers(tx, sorted(set(nos)))}


def client_at_work(tx: Tx, client_id: str) -> tuple[Client, bool] | None:
    """A client of any agency, and whether it is live. For background work only, whose key is the
    client's id; requests of a caller are limited to its agency.
    """
    row = rows.number_of(tx, client_id)
    if row is None:
        return None
    no, live = row
    return rows.by_numbers(tx, [no])[0], live


def clients_at_work(tx: Tx) -> list[Client]:
    """All live clients, of every agency. For background work only."""
    return rows.every(tx)


def custom_places(tx: Tx, client_no: int) -> dict[str, int]:
    """The client's own job fields: name to N of cifN (domain 14.6)."""
    return rows.custom_places(tx, client_no)


def learn_custom_fields(tx: Tx, client_no: int, names: Iterable[str]) -> dict[str, int]:
    """Give new names the next places, in order of first appearance; returns all places.

    A place is never reused; names past the 50th are stored on the job but get no place.
    """
    places = rows.custom_places(tx, client_no)
    new: dict[str, int] = {}
    for name in dict.fromkeys(names):
        if name not in places and len(places) + len(new) < MOST_CUSTOM_FIELDS:
            new[name] = len(places) + len(new) + 1
    if new:
        rows.add_custom_places(tx, client_no, new)
    return places | new


# ── writing ─────────────────────────────────────────────────────────────────────────────────────
def create(
    tx: Tx, ids: Ids, now: Instant, agency_no: int, body: ClientBody, zone: str = "UTC"
) -> Client:
    """Create a client, without its default campaign, which the rooms above add. Default dates: from
    today, for a week after its start (domain 1.3).

    **Refuses** (400) an end before the start, and exclusions of unknown publishers.
    """
    body.exported_name = body.exported_name or body.company_name
    body.start_on = body.start_on or day_of(now, zone_of(zone)).isoformat()
    body.end_on = body.end_on or days_later(body.start_on, _FIRST_TERM_DAYS)
    faults = _unknown_publishers(tx, agency_no, msgspec.structs.asdict(body), frozenset())
    faults += end_faults(body.start_on, body.end_on)
    if faults:
        raise bad_request(faults)
    client = Client(
        no=0,
        id=new_uuid(ids),
        agency_no=agency_no,
        status="A",
        zone=zone,
        pixel_id=new_name(ids),
        body=body,
        created_at=now,
        updated_at=now,
    )
    client.no = rows.add(tx, client)
    return client


def update(tx: Tx, now: Instant, client: Client, changes: Mapping[str, Any]) -> None:
    """Change the given parts of its body, or its zone; nothing given changes nothing.

    **Refuses** (400) another value for what is fixed at creation, an end before the start,
    exclusions of unknown publishers, and clearing the budget or a name.
    """
    if not changes:
        return
    of_body = {name: value for name, value in changes.items() if name != "zone"}
    faults = fixed_faults(client, changes, ["zone"])
    if faults and changes["zone"] and zone_of(changes["zone"]) == zone_of(client.zone):
        faults = []  # UTC+5:30 and UTC+05:30 are one zone
    faults += fixed_faults(client.body, changes, _FIXED)
    stood = {*client.body.excluded_publishers, *client.body.globally_excluded_publishers}
    faults += _unknown_publishers(tx, client.agency_no, changes, stood)
    body = settled(client.body, of_body, faults)
    if "caps" in changes and body.caps.budget is None:
        faults.append(Fault("caps.budget", "cannot be cleared"))
    faults += end_faults(body.start_on, body.end_on)
    if faults:
        raise bad_request(faults)
    if body != client.body:
        client.body = body
        rows.save(tx, client, now)
        wake_listings(tx, client, now)


def _unknown_publishers(
    tx: Tx, agency_no: int, said: Mapping[str, Any], stood: AbstractSet[str]
) -> list[Fault]:
    """A fault for each unknown one, except those that ``stood`` there and were deleted since."""
    excluded = [
        (f"{name}.{n}", publisher_id)
        for name in ("excluded_publishers", "globally_excluded_publishers")
        for n, publisher_id in enumerate(said.get(name) or ())
        if publisher_id not in stood
    ]
    if not excluded:
        return []
    known = {one.id for one in publishers.publishers_of(tx, agency_no)}
    return [
        Fault(field, "is not a publisher of the agency")
        for field, publisher_id in excluded
        if publisher_id not in known
    ]


def switch(tx: Tx, now: Instant, client: Client, status: str) -> None:
    """Pause (P) or enable (A); already so: no change."""
    if client.status != status:
        client.status = status
        rows.save(tx, client, now)
        wake_listings(tx, client, now)


def delete(tx: Tx, now: Instant, client: Client) -> None:
    """Delete it, with all that is below it, for all readers; the past still names it."""
    client.status = "I"
    rows.save(tx, client, now, deleted_at=now)
    wake_listings(tx, client, now)


def end_faults(start_on: str, end_on: str) -> list[Fault]:
    """A fault if the last day is before the first; without a last day there is no end."""
    if end_on and end_on < start_on:
        return [Fault("end_on", "must not be before the start date")]
    return []


def wake_listings(tx: Tx, client: Client, now: Instant) -> None:
    """Have what is in force for the client decided again, and its outbound feeds written again,
    once this transaction commits.
    """
    enqueue(tx, kinds.FOLLOW, client.id, now)
