"""Use cases of click definitions."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from handbill.changes import service as changes
from handbill.core.address_lists import AddressList
from handbill.core.click_definitions import (
    ClickDefinition,
    Definition,
    DefinitionBody,
    definition_of,
    with_said,
)
from handbill.core.nouns import Client, Publisher
from handbill.core.trail import TrailEntity
from handbill.definitions import rows
from handbill.definitions.rows import EVERY_CLIENT
from handbill.kit.faults import not_found, refused_state
from handbill.kit.instants import DAY, Instant
from handbill.store.records import Tx
from handbill.work import kinds
from handbill.work.queue import enqueue


class PublisherRules(NamedTuple):
    """The rules at a publisher for a client, and the list of addresses that identifies bots: its
    number and when it was read, or None.
    """

    rules: Definition
    list_key: tuple[int, Instant] | None = None


def definition_at(tx: Tx, publisher: Publisher, client: Client | None) -> ClickDefinition:
    """The definition of a publisher for one client, or for all. **Refuses** a missing one (404)."""
    definition = _definition_of(tx, publisher, client.no if client else EVERY_CLIENT)
    if definition is None:
        raise not_found()
    return definition


def definitions_of(tx: Tx, publisher: Publisher) -> list[ClickDefinition]:
    """All of a publisher's, the one for all clients first."""
    return [one for one in rows.of_publisher(tx, publisher.no) if _holds(one, publisher)]


def put(
    tx: Tx,
    now: Instant,
    publisher: Publisher,
    client: Client | None,
    said: Mapping[str, Any],
    *,
    can_locate: bool,
) -> None:
    """Change a definition (``with_said``); the first change creates it. It applies from the next
    batch of the judge on.

    **Refuses** (400) a grain of foreign clicks if locations of addresses are not known.
    """
    client_no = client.no if client else EVERY_CLIENT
    former = _definition_of(tx, publisher, client_no)
    before = former.body if former else DefinitionBody()
    body = with_said(before, said)
    if body.rules.foreign is not None and not can_locate:
        at = "foreign" if said.get("foreign") else "preset"
        raise refused_state(at, "is not available: HANDBILL_GEO_FILE is not set")
    if former is None:
        no = rows.add(tx, publisher.no, client_no, body, now)
    elif body != before:
        no = former.no
        rows.change(tx, former, body, now)
    else:
        return
    _tell(tx, now, publisher, client, (former.body if former else None, body))
    if body.bot_ips_url and body.bot_ips_url != before.bot_ips_url:
        enqueue(tx, kinds.READ_LIST, str(no), now)


def delete(tx: Tx, now: Instant, publisher: Publisher, client: Client | None) -> None:
    """Delete it; the more general one applies again. **Refuses** if there is none (404)."""
    former = definition_at(tx, publisher, client)
    rows.delete(tx, former.no)
    _tell(tx, now, publisher, client, (former.body, None))


def _tell(
    tx: Tx,
    now: Instant,
    publisher: Publisher,
    client: Client | None,
    bodies: tuple[DefinitionBody | None, DefinitionBody | None],
) -> None:
    """A definition is recorded under its publisher's id, and its client's."""
    entity = TrailEntity(
        "CLICK_DEFINITION", publisher.id, publisher.agency_no, client.no if client else None
    )
    before, after = ({} if body is None else msgspec.structs.asdict(body) for body in bodies)
    changes.tell(tx, now, entity, before, after)


def bot_ips_count(tx: Tx, definition: ClickDefinition) -> int:
    return len(rows.bot_ips(tx, definition.no)) if definition.body.bot_ips_url else 0


def bot_list(tx: Tx, no: int) -> AddressList:
    """The addresses of bots on a definition's list."""
    return AddressList(rows.bot_ips(tx, no))


def held_at(
    tx: Tx, places: Iterable[tuple[Publisher, int]], otherwise: Definition
) -> dict[tuple[int, int], PublisherRules]:
    """The rules at each publisher for each client number, by both numbers.

    ``otherwise``: the rules where nothing is defined.
    """
    places = list(places)
    by_number = {publisher.no: publisher for publisher, _ in places}
    known = {
        (one.publisher_no, one.client_no): one
        for one in rows.of_publishers(tx, by_number)
        if _holds(one, by_number[one.publisher_no])
    }
    held = {}
    for publisher, client_no in places:
        own = known.get((publisher.no, client_no))
        general = known.get((publisher.no, EVERY_CLIENT))
        rules = definition_of(
            own.body if own else None, general.body if general else None, otherwise
        )
        chosen = next((one for one in (own, general) if one and one.body.enabled), None)
        minutes = publisher.body.feed_index_latency_minutes
        rules = msgspec.structs.replace(rules, latency_minutes=minutes) if minutes else rules
        held[publisher.no, client_no] = PublisherRules(rules, _list_key(chosen))
    return held


def _definition_of(tx: Tx, publisher: Publisher, client_no: int) -> ClickDefinition | None:
    definition = rows.find(tx, publisher.no, client_no)
    return definition if definition is not None and _holds(definition, publisher) else None


def _holds(definition: ClickDefinition, publisher: Publisher) -> bool:
    """If a deleted publisher's id is used again, it has new settings: earlier definitions do not
    apply.
    """
    return definition.created_at >= publisher.created_at


def _list_key(chosen: ClickDefinition | None) -> tuple[int, Instant] | None:
    if chosen is None or not chosen.body.bot_ips_url or chosen.ips_read_at is None:
        return None
    return chosen.no, chosen.ips_read_at


def ask_to_read(tx: Tx, now: Instant) -> None:
    """Enqueue reading of each list that was not read for a day."""
    for no in rows.to_read(tx, now - DAY):
        definition = rows.by_number(tx, no)
        if definition is not None and definition.body.bot_ips_url:
            enqueue(tx, kinds.READ_LIST, str(no), now)
