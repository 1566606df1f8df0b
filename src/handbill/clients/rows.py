"""Rows of table clients, to nouns and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Client, ClientBody
from handbill.kit.instants import Instant
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import clients, custom_fields

_BODY = msgspec.json.Decoder(ClientBody)
_t = clients.c
_COLUMNS = (
    _t.no, _t.id, _t.agency_no, _t.status, _t.zone, _t.pixel_id, _t.body, _t.created_at,
    _t.updated_at,
)  # fmt: skip
_LIVE = _t.deleted_at.is_(None)
_ONE = sa.select(*_COLUMNS).where(_t.id == b("id"), _t.agency_no == b("agency_no"), _LIVE)
_HELD = _ONE.with_for_update()
_BY_NO = sa.select(*_COLUMNS).where(among(_t.no, "nos"))
_BY_ID = sa.select(_t.no, _t.deleted_at).where(_t.id == b("id"))
_PAGE = (
    sa.select(*_COLUMNS)
    .where(_t.agency_no == b("agency_no"), _LIVE)
    .order_by(_t.no)
    .limit(b("limit", type_=sa.Integer))
    .offset(b("skip", type_=sa.Integer))
)
_COUNT = (
    sa.select(sa.func.count()).select_from(clients).where(_t.agency_no == b("agency_no"), _LIVE)
)
_FIELDS = (
    sa.select(custom_fields.c.name, custom_fields.c.place)
    .where(custom_fields.c.client_no == b("client_no"))
    .order_by(custom_fields.c.place)
)


def _client(row: Row) -> Client:
    no, id_, agency_no, status, zone, pixel_id, body, created_at, updated_at = row
    return Client(
        no=no, id=id_, agency_no=agency_no, status=status, zone=zone, pixel_id=pixel_id,
        body=_BODY.decode(body), created_at=created_at, updated_at=updated_at,
    )  # fmt: skip


def find(tx: Tx, agency_no: int, client_id: str) -> Client | None:
    row = tx.one(_ONE, id=client_id, agency_no=agency_no)
    return _client(row) if row else None


def hold(tx: Tx, client: Client) -> Client | None:
    """Hold the row until the transaction ends; what it is by then, None when it is gone."""
    row = tx.one(_HELD, id=client.id, agency_no=client.agency_no)
    return _client(row) if row else None


def by_numbers(tx: Tx, nos: list[int]) -> list[Client]:
    """Deleted ones too: the past still names them."""
    return [_client(row) for row in tx.all(_BY_NO, nos=Listed(nos))]


def number_of(tx: Tx, client_id: str) -> tuple[int, bool] | None:
    """The number of a client of any agency, and whether it is live."""
    row = tx.one(_BY_ID, id=client_id)
    return None if row is None else (int(row[0]), row[1] is None)


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Client]:
    return [_client(row) for row in tx.all(_PAGE, agency_no=agency_no, skip=skip, limit=limit)]


def count(tx: Tx, agency_no: int) -> int:
    return int(tx.value(_COUNT, agency_no=agency_no))


def add(tx: Tx, client: Client) -> int:
    """Insert; the new row's number (``client.no`` is not looked at)."""
    return changes.put(
        tx, client.created_at, clients, id=client.id, agency_no=client.agency_no,
        status=client.status, zone=client.zone, pixel_id=client.pixel_id,
        body=msgspec.json.encode(client.body).decode(), created_at=client.created_at,
        updated_at=client.updated_at,
    )  # fmt: skip


def save(tx: Tx, client: Client, now: Instant, **columns: Any) -> None:
    """Write status, zone and body back; ``columns`` may set more (deleted_at)."""
    changes.change(
        tx, now, clients, {"no": client.no}, status=client.status, zone=client.zone,
        body=msgspec.json.encode(client.body).decode(), updated_at=now, **columns,
    )  # fmt: skip


def custom_places(tx: Tx, client_no: int) -> dict[str, int]:
    """The client's own field names and their places, in order of place."""
    return dict(tx.all(_FIELDS, client_no=client_no))


def add_custom_places(tx: Tx, client_no: int, places: dict[str, int]) -> None:
    rows = [{"client_no": client_no, "name": name, "place": at} for name, at in places.items()]
    tx.put_many(custom_fields, rows)
