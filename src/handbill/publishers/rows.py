"""Rows of table publishers, to nouns and back."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Publisher, PublisherBody
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, Row, among
from handbill.store.records.tables import publisher_secrets, publishers

_BODY = msgspec.json.Decoder(PublisherBody)
_t = publishers.c
_COLUMNS = (_t.no, _t.id, _t.agency_no, _t.status, _t.body, _t.created_at, _t.updated_at)
_LIVE = _t.deleted_at.is_(None)
_ONE = sa.select(*_COLUMNS).where(_t.id == b("id"), _t.agency_no == b("agency_no"), _LIVE)
_ANY = sa.select(*_COLUMNS).where(_t.id == b("id"), _t.agency_no == b("agency_no"))
_EVERYWHERE = sa.select(*_COLUMNS).where(_t.id == b("id"), _LIVE).order_by(_t.no)
_ALL = sa.select(*_COLUMNS).where(_t.agency_no == b("agency_no"), _LIVE).order_by(_t.no)
_BY_NO = sa.select(*_COLUMNS).where(among(_t.no, "nos"))
_PAGE = _ALL.limit(b("limit", type_=sa.Integer)).offset(b("skip", type_=sa.Integer))
_COUNT = (
    sa.select(sa.func.count()).select_from(publishers).where(_t.agency_no == b("agency_no"), _LIVE)
)
_s = publisher_secrets.c
_SECRET = sa.select(_s.value).where(_s.publisher_no == b("publisher_no"), _s.name == b("name"))
_SECRETS = sa.select(_s.name).where(_s.publisher_no == b("publisher_no")).order_by(_s.no)
_FORGET = sa.delete(publisher_secrets).where(
    _s.publisher_no == b("publisher_no"), _s.name == b("name")
)


def _publisher(row: Row) -> Publisher:
    no, id_, agency_no, status, body, created_at, updated_at = row
    return Publisher(
        no=no,
        id=id_,
        agency_no=agency_no,
        status=status,
        body=_BODY.decode(body),
        created_at=created_at,
        updated_at=updated_at,
    )


def find(tx: Tx, agency_no: int, publisher_id: str) -> Publisher | None:
    row = tx.one(_ONE, id=publisher_id, agency_no=agency_no)
    return _publisher(row) if row else None


def find_any(tx: Tx, agency_no: int, publisher_id: str) -> Publisher | None:
    """A deleted one too."""
    row = tx.one(_ANY, id=publisher_id, agency_no=agency_no)
    return _publisher(row) if row else None


def lock(tx: Tx, publisher: Publisher) -> Publisher | None:
    """Hold the row until the transaction ends; what it is by then, None when it is gone."""
    tx.lock_row(publishers, publisher.no)
    return find(tx, publisher.agency_no, publisher.id)


def everywhere(tx: Tx, publisher_id: str) -> list[Publisher]:
    """The live ones of that id in every agency."""
    return [_publisher(row) for row in tx.all(_EVERYWHERE, id=publisher_id)]


def every(tx: Tx, agency_no: int) -> list[Publisher]:
    return [_publisher(row) for row in tx.all(_ALL, agency_no=agency_no)]


def by_numbers(tx: Tx, nos: list[int]) -> list[Publisher]:
    """Deleted ones too: the past still names them."""
    return [_publisher(row) for row in tx.all(_BY_NO, nos=Listed(nos))]


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Publisher]:
    found = tx.all(_PAGE, agency_no=agency_no, skip=skip, limit=limit)
    return [_publisher(row) for row in found]


def count(tx: Tx, agency_no: int) -> int:
    return int(tx.value(_COUNT, agency_no=agency_no))


def add(tx: Tx, publisher: Publisher) -> int:
    """Insert; the new row's number (``publisher.no`` is not looked at)."""
    return changes.put(
        tx,
        publisher.created_at,
        publishers,
        id=publisher.id,
        agency_no=publisher.agency_no,
        status=publisher.status,
        body=msgspec.json.encode(publisher.body).decode(),
        created_at=publisher.created_at,
        updated_at=publisher.updated_at,
    )


def save(tx: Tx, publisher: Publisher, now: Instant, **columns: Any) -> None:
    """Write what may change back; ``columns`` may set more (deleted_at)."""
    body = msgspec.json.encode(publisher.body).decode()
    changes.change(
        tx,
        now,
        publishers,
        {"no": publisher.no},
        status=publisher.status,
        body=body,
        updated_at=now,
        **columns,
    )


def secret(tx: Tx, publisher_no: int, name: str) -> str | None:
    found = tx.value(_SECRET, publisher_no=publisher_no, name=name)
    row = {"publisher_no": publisher_no, "name": name}
    return None if found is None else sealed.opened(tx, publisher_secrets, row, found).decode()


def secrets_held(tx: Tx, publisher_no: int) -> list[str]:
    """What there are passwords for."""
    return [name for (name,) in tx.all(_SECRETS, publisher_no=publisher_no)]


def put_secret(tx: Tx, publisher_no: int, name: str, value: str) -> None:
    row = {"publisher_no": publisher_no, "name": name}
    kept = sealed.seal(tx, publisher_secrets, row, value.encode())
    tx.upsert_many(publisher_secrets, ["publisher_no", "name"], [row | {"value": kept}])


def forget_secret(tx: Tx, publisher_no: int, name: str) -> None:
    tx.run(_FORGET, publisher_no=publisher_no, name=name)
