"""Rows of table publishers, to nouns and back."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam as b

from handbill.changes import service as changes
from handbill.core.nouns import Publisher
from handbill.kit.instants import Instant
from handbill.store import sealed
from handbill.store.records import Tx
from handbill.store.records.base import Listed, among
from handbill.store.records.mapper import Mapper
from handbill.store.records.tables import publisher_secrets, publishers

_t = publishers.c
_PUBLISHERS = Mapper(publishers, Publisher)
_ONE = _PUBLISHERS.live("id", "agency_no")
_ANY = _PUBLISHERS.ever("id", "agency_no")
_EVERYWHERE = _PUBLISHERS.live("id")
_OF_AGENCY = _PUBLISHERS.live("agency_no")
_BY_NO = _PUBLISHERS.ever(among(_t.no, "nos"))
_s = publisher_secrets.c
_SECRET = sa.select(_s.value).where(_s.publisher_no == b("publisher_no"), _s.name == b("name"))
_SECRETS = sa.select(_s.name).where(_s.publisher_no == b("publisher_no")).order_by(_s.no)
_FORGET = sa.delete(publisher_secrets).where(
    _s.publisher_no == b("publisher_no"), _s.name == b("name")
)


def find(tx: Tx, agency_no: int, publisher_id: str) -> Publisher | None:
    return _ONE.first(tx, id=publisher_id, agency_no=agency_no)


def find_any(tx: Tx, agency_no: int, publisher_id: str) -> Publisher | None:
    """The publisher of that id, deleted or not."""
    return _ANY.first(tx, id=publisher_id, agency_no=agency_no)


def lock(tx: Tx, publisher: Publisher) -> Publisher | None:
    """Lock the row until the transaction ends; returns its present state, None when it is gone."""
    tx.lock_row(publishers, publisher.no)
    return find(tx, publisher.agency_no, publisher.id)


def everywhere(tx: Tx, publisher_id: str) -> list[Publisher]:
    """The live publishers with that id in all agencies."""
    return _EVERYWHERE.all(tx, id=publisher_id)


def every(tx: Tx, agency_no: int) -> list[Publisher]:
    return _OF_AGENCY.all(tx, agency_no=agency_no)


def by_numbers(tx: Tx, nos: list[int]) -> list[Publisher]:
    """By number, deleted ones included: the past still names them."""
    return _BY_NO.all(tx, nos=Listed(nos))


def page(tx: Tx, agency_no: int, skip: int, limit: int) -> list[Publisher]:
    return _OF_AGENCY.page(tx, skip, limit, agency_no=agency_no)


def count(tx: Tx, agency_no: int) -> int:
    return _OF_AGENCY.count(tx, agency_no=agency_no)


def add(tx: Tx, publisher: Publisher) -> int:
    """Insert a publisher; returns the new row's number (``publisher.no`` is ignored)."""
    return changes.put(tx, publisher.created_at, publishers, **_PUBLISHERS.values(publisher))


def save(tx: Tx, publisher: Publisher, now: Instant, **columns: Any) -> None:
    """Save what may change; ``columns`` may set more (deleted_at)."""
    kept = _PUBLISHERS.values(publisher, "status", "body")
    changes.change(tx, now, publishers, {"no": publisher.no}, **kept, updated_at=now, **columns)


def secret(tx: Tx, publisher_no: int, name: str) -> str | None:
    stored = tx.value(_SECRET, publisher_no=publisher_no, name=name)
    row = {"publisher_no": publisher_no, "name": name}
    return None if stored is None else sealed.opened(tx, publisher_secrets, row, stored).decode()


def secrets_held(tx: Tx, publisher_no: int) -> list[str]:
    """The logins for which passwords are stored."""
    return [name for (name,) in tx.all(_SECRETS, publisher_no=publisher_no)]


def put_secret(tx: Tx, publisher_no: int, name: str, value: str) -> None:
    row = {"publisher_no": publisher_no, "name": name}
    kept = sealed.seal(tx, publisher_secrets, row, value.encode())
    tx.upsert_many(publisher_secrets, ["publisher_no", "name"], [row | {"value": kept}])


def forget_secret(tx: Tx, publisher_no: int, name: str) -> None:
    tx.run(_FORGET, publisher_no=publisher_no, name=name)
