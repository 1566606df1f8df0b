"""Rows of table clients, to nouns and back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Client
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import clients, custom_fields

_CLIENTS = Mapper(clients, Client)
_ONE = _CLIENTS.live("id", "agency_no")
_OF_AGENCY = _CLIENTS.live("agency_no")
_EVERY = _CLIENTS.live()
_BY_NO = _CLIENTS.ever(among(clients.c.no, "nos"))
_BY_ID = sa.select(clients.c.no, clients.c.deleted_at).where(clients.c.id == b("id"))
_FIELDS = (
    sa.select(custom_fields.c.name, custom_fields.c.place)
    .where(custom_fields.c.client_no == b("client_no"))
    .order_by(custom_fields.c.place)
)


def find(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    return _ONE.first(tx, id=client_id, agency_no=agency_no)


def hold(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    """Lock the row until the transaction ends; returns its present state, None when it is gone."""
    return _ONE.hold(tx, id=client_id, agency_no=agency_no)


def by_numbers(tx: Tx, nos: list[int]) -> list[Client]:
    """By number, deleted ones included: the past still names them."""
    return _BY_NO.all(tx, nos=Listed(nos))


def every(tx: Tx) -> list[Client]:
    return _EVERY.all(tx)


def number_of(tx: Tx, client_id: str) -> tuple[int, bool] | None:
    """The number of a client of any agency, and whether it is live."""
    row = tx.one(_BY_ID, id=client_id)
    return None if row is None else (int(row[0]), row[1] is None)


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Client]:
    return _OF_AGENCY.page(tx, skip, limit, agency_no=agency_no)


def of_agency(tx: Tx, agency_no: int) -> list[Client]:
    return _OF_AGENCY.all(tx, agency_no=agency_no)


def count(tx: Tx, agency_no: int) -> int:
    return _OF_AGENCY.count(tx, agency_no=agency_no)


def add(tx: Tx, client: Client) -> int:
    """Insert a client; returns the new row's number (``client.no`` is ignored)."""
    return changes.put(tx, client.created_at, clients, **_CLIENTS.values(client))


def save(tx: Tx, client: Client, now: Instant, **columns: Any) -> None:
    """Save status, zone and body; ``columns`` may set more (deleted_at)."""
    kept = _CLIENTS.values(client, "status", "zone", "body")
    changes.change(tx, now, clients, {"no": client.no}, **kept, updated_at=now, **columns)


def custom_places(tx: Tx, client_no: int) -> dict[str, int]:
    """The client's own field names and their places, in order of place."""
    return dict(tx.all(_FIELDS, client_no=client_no))


def add_custom_places(tx: Tx, client_no: int, places: dict[str, int]) -> None:
    rows = [{"client_no": client_no, "name": name, "place": at} for name, at in places.items()]
    tx.put_many(custom_fields, rows)
